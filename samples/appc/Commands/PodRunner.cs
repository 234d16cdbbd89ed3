using System.Net.Sockets;
using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

/// <summary>Stays with a pod in the foreground: passes its output on, and ends with its exit code.</summary>
internal static class PodRunner
{
    /// <summary>Waits for the pod; a signal stops it first.</summary>
    public static async Task<int> AttendAsync(CliContext context, Pod pod, bool remove, CancellationToken interrupted)
    {
        await using Stream output = Console.OpenStandardOutput();
        await using Stream error = Console.OpenStandardError();
        Task copying = pod.CopyLogsAsync(output, error, follow: true, cancellationToken: CancellationToken.None);
        Task announcing = AnnounceAsync(context, pod, interrupted);
        PodStatus status;
        try
        {
            status = await pod.WaitAsync(interrupted);
        }
        catch (OperationCanceledException)
        {
            Tell(context, c => c.NotifyStopping());
            context.Reporter.Note($"appc: stopping pod {pod.Uuid}");
            status = await pod.StopAsync(cancellationToken: CancellationToken.None);
        }

        await announcing;
        try
        {
            await copying;
        }
        catch (IOException)
        {
            // Nobody reads our output any more; the pod's end still counts.
        }

        if (remove)
        {
            await pod.RemoveAsync(CancellationToken.None);
        }

        if (context.Options.Debug)
        {
            foreach (AppStatus app in status.Apps)
            {
                context.Reporter.Debug($"debug: pod {pod.Uuid}: app {app.Name}: {PodText.End(app)}");
            }
        }

        return status.ExitCode ?? ExitCodes.Failure;
    }

    /// <summary>Tells the unit that this program runs in when the pod is ready.</summary>
    private static async Task AnnounceAsync(CliContext context, Pod pod, CancellationToken interrupted)
    {
        if (!context.Caller.AwaitsReadiness)
        {
            return;
        }

        try
        {
            await pod.WaitUntilReadyAsync(cancellationToken: interrupted);
            Tell(context, c => c.NotifyReady());
        }
        catch (Exception e) when (e is PodException or OperationCanceledException)
        {
            // It ended before it was ready, which its end tells.
        }
    }

    private static void Tell(CliContext context, Action<CallerUnit> tell)
    {
        try
        {
            tell(context.Caller);
        }
        catch (SocketException e)
        {
            // The pod matters more than who watches it.
            context.Reporter.Note($"appc: the service manager cannot be told: {e.Message}");
        }
    }

    /// <summary>Whether the pod is to be removed at its end; only who stays with it can do that.</summary>
    public static bool Removes(Arguments arguments) => arguments.Has("rm") && arguments.Has("detach")
        ? throw new UsageException("--rm and --detach exclude each other: nobody would be left to remove the pod ('appc gc' does)")
        : arguments.Has("rm");

    public static async Task SaveUuidAsync(Arguments options, string uuid)
    {
        if (options.Get("uuid-file-save") is { } file)
        {
            await File.WriteAllTextAsync(file, uuid + "\n");
        }
    }
}
