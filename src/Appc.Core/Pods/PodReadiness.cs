using System.Globalization;

namespace Appc.Pods;

/// <summary>Waits until a pod is ready. Who started it does not matter: what its apps announced is in its directory.</summary>
internal static class PodReadiness
{
    public static async Task<PodStatus> WaitAsync(PodDirectories pods, PodWatch watch, string uuid, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout ?? Timeout.InfiniteTimeSpan);
        PodStatus last = PodStatusReader.Read(pods, uuid);
        try
        {
            if (!IsDecided(last))
            {
                last = await watch.WaitAsync(uuid, IsDecided, limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            last = PodStatusReader.Read(pods, uuid);
            if (!IsDecided(last))
            {
                throw new PodException(
                    PodFailure.NotReady,
                    string.Create(CultureInfo.InvariantCulture, $"the pod {uuid} is not ready after {timeout!.Value.TotalSeconds} s: nothing was announced by {string.Join(", ", last.Apps.Where(a => !a.Ready).Select(a => a.Name))}"),
                    "see what the app logs; it announces READY=1 with sd_notify(3), or should not be asked to");
            }
        }

        if (!last.Ready)
        {
            ThrowNeverReady(pods, last);
        }

        return last;
    }

    private static bool IsDecided(PodStatus status) => status.Ready || status.State != PodState.Running || status.Apps.Any(HasFailed);

    private static bool HasFailed(AppStatus app) => app.State is not (AppState.Running or AppState.Prepared) && !app.Ready;

    private static void ThrowNeverReady(PodDirectories pods, PodStatus status)
    {
        if (status.State is PodState.Preparing or PodState.Prepared)
        {
            throw new PodException(PodFailure.WrongState, $"the pod {status.Uuid} was not started, and so does not become ready");
        }

        AppStatus? failed = status.Apps.FirstOrDefault(HasFailed);
        string what = failed is null ? "the pod ended" : $"the app {failed.Name} ended" + (pods.Find(status.Uuid) is { } location ? Reason(location, failed) : "");
        throw new PodException(PodFailure.NotReady, $"the pod {status.Uuid} did not become ready: {what}", "see what the app logs");
    }

    private static string Reason(PodLocation location, AppStatus app) => PodFiles.ReadResult(location.Directory, app.Name) switch
    {
        "timeout" => ", as it was stopped when its time to become ready was over",
        _ when app.ExitCode is { } code => string.Create(CultureInfo.InvariantCulture, $" with exit code {code} before it announced READY=1"),
        _ when app.Signal is { } signal => $" by {signal} before it announced READY=1",
        _ => " before it announced READY=1",
    };
}
