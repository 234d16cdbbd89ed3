using Appc.Images;
using Appc.Pods;
using Appc.Stage1;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Appc.Samples;

/// <summary>
/// Starts the configured pods with the host, looks after them, and stops them with it. They end with it also when it is killed;
/// what is then left of them is removed by the next one.
/// </summary>
internal sealed partial class PodSupervision(
    PodRuntime runtime, IOptions<List<HostedPod>> pods, IHostApplicationLifetime host, TimeProvider time, ILogger<PodSupervision> logger) : BackgroundService
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);
    private static readonly KeyValuePair<string, string> s_mark = new("started-by", "pod-host");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] removals = [];
        try
        {
            IReadOnlyList<PodStatus> left = await runtime.ListAsync(new PodFilter { Labels = { [s_mark.Key] = s_mark.Value } }, stoppingToken);
            removals = [.. left.Select(p => RemoveAsync(p.Uuid, done.Token))];
            await Task.WhenAll(pods.Value.Select(p => KeepOrFailAsync(p, stoppingToken)));
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(removals);
            host.StopApplication();
        }
    }

    /// <summary>A pod that cannot be had or run ends the host, and with it the others: somebody has to look.</summary>
    private async Task KeepOrFailAsync(HostedPod hosted, CancellationToken stopping)
    {
        try
        {
            await KeepAsync(hosted, stopping);
        }
        catch (AppcException e)
        {
            Failed(hosted.Image, e.Message, e.Hint);
            Fail(1);
        }
    }

    /// <summary>Returns when the pod has ended for good, or the host stops.</summary>
    private async Task KeepAsync(HostedPod hosted, CancellationToken stopping)
    {
        StoredImage image = await runtime.FetchAsync(hosted.Image, cancellationToken: stopping);
        TimeSpan delay = TimeSpan.FromSeconds(hosted.RestartDelay);
        while (true)
        {
            PodSpec spec = new(new AppSpec(image)) { Lifetime = PodLifetime.Host, StopOnDispose = true, RemoveOnExit = true, Labels = { s_mark } };
            await using Pod pod = await runtime.RunAsync(spec, stopping);
            Started(pod.Uuid, hosted.Image);
            PodStatus status = await WaitAsync(pod, stopping);
            Ended(pod.Uuid, status.ExitCode);
            if (status.ExitCode == 0 || stopping.IsCancellationRequested)
            {
                return;
            }

            if (!hosted.Restart)
            {
                Fail(status.ExitCode ?? 1);
                return;
            }

            await Task.Delay(delay, time, stopping);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <summary>Waits for the end of a pod, which it stops when the host does.</summary>
    private async Task<PodStatus> WaitAsync(Pod pod, CancellationToken stopping)
    {
        try
        {
            await pod.WaitUntilReadyAsync(cancellationToken: stopping);
            Ready(pod.Uuid);
            return await pod.WaitAsync(stopping);
        }
        catch (PodException e) when (e.Failure == PodFailure.NotReady)
        {
            // It has ended, or is about to. If only its time is over, it may go on: readiness is a word of its apps.
            return await pod.WaitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            // In the time that its apps get, and in that of the host (HostOptions.ShutdownTimeout).
            return await pod.StopAsync(cancellationToken: CancellationToken.None);
        }
    }

    /// <summary>Removes a pod of a host that was killed, once it has ended. One of a host that lives runs on.</summary>
    private async Task RemoveAsync(string uuid, CancellationToken cancellationToken)
    {
        try
        {
            await using Pod pod = await runtime.OpenAsync(uuid, cancellationToken);
            await pod.WaitAsync(cancellationToken);
            await pod.RemoveAsync(cancellationToken);
            Removed(uuid);
        }
        catch (OperationCanceledException)
        {
            // The next host, or a collection, will.
        }
        catch (PodException e)
        {
            NotRemoved(uuid, e.Message);
        }
    }

    private void Fail(int exitCode)
    {
        Environment.ExitCode = exitCode;
        host.StopApplication();
    }

    [LoggerMessage(1, LogLevel.Information, "Started pod {Uuid} of {Image}.")]
    private partial void Started(string uuid, string image);

    [LoggerMessage(2, LogLevel.Information, "Pod {Uuid} is ready.")]
    private partial void Ready(string uuid);

    [LoggerMessage(3, LogLevel.Information, "Pod {Uuid} has ended with {ExitCode}.")]
    private partial void Ended(string uuid, int? exitCode);

    [LoggerMessage(4, LogLevel.Error, "A pod of {Image} cannot be kept: {Reason} {Hint}")]
    private partial void Failed(string image, string reason, string? hint);

    [LoggerMessage(5, LogLevel.Information, "Removed pod {Uuid} of a host that was killed.")]
    private partial void Removed(string uuid);

    [LoggerMessage(6, LogLevel.Information, "Pod {Uuid} was not removed: {Reason}")]
    private partial void NotRemoved(string uuid, string reason);
}
