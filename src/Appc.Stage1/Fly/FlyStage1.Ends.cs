using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Stage1.Streams;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Fly;

/// <content>What follows the end of a pod's process.</content>
public sealed partial class FlyStage1
{
    // For how long the end of a pod waits for others who log the last that was written to its terminal.
    private static readonly TimeSpan LogPatience = TimeSpan.FromSeconds(5);

    private async Task RecordAsync(Task<ProcessEnd> ended, TerminalLog? log, StatusFile status, SafeFileHandle? mounts, Stage1Pod pod, FlyLimits limits)
    {
        ProcessEnd end = await ended.ConfigureAwait(false);
        await FinishAsync(log, pod).ConfigureAwait(false);
        using (status)
        {
            string? error = status.Write(Encoding.ASCII.GetBytes(Describe(end)));
            if (error is not null)
            {
                _logger.StatusNotWritten(pod.Uuid, error);
            }
        }

        await RemoveGroupsAsync(pod, limits).ConfigureAwait(false);
        _mounts.Release(pod, mounts);
    }

    private async Task FollowAsync(Task<ProcessEnd> recorded, Task ended, TerminalLog? log, Stage1Pod pod, FlyLimits limits)
    {
        ProcessEnd keeper = await recorded.ConfigureAwait(false);
        if (keeper != new ProcessEnd(ProcessEndKind.Exited, 0))
        {
            _logger.StatusNotWritten(pod.Uuid, $"the process that was to do it ended with {Describe(keeper).TrimEnd()}");
        }

        await ended.ConfigureAwait(false);
        await FinishAsync(log, pod).ConfigureAwait(false);
        await RemoveGroupsAsync(pod, limits).ConfigureAwait(false);
    }

    private async Task RemoveGroupsAsync(Stage1Pod pod, FlyLimits limits)
    {
        try
        {
            if (!limits.IsEmpty && !await FlyLimits.RemoveAsync(pod, _time, CancellationToken.None).ConfigureAwait(false))
            {
                _logger.GroupsNotRemoved(pod.Uuid, "processes are left in them");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.GroupsNotRemoved(pod.Uuid, e.Message);
        }
    }

    private TerminalLog? BeginLog(Stage1Pod pod, FlyStreams streams, Task ended) =>
        streams.TakeTerminal() is { } terminal ? new FlyAttach(_inputs, _reaper).Log(terminal, pod, pod.Apps[0], ended) : null;

    private async Task FinishAsync(TerminalLog? log, Stage1Pod pod)
    {
        try
        {
            await (log?.Completed.WaitAsync(LogPatience, _time) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException)
        {
            _logger.TerminalNotLogged(pod.Uuid, e.Message);
        }
        finally
        {
            log?.Dispose();
        }
    }

    internal static string Describe(ProcessEnd end) => end.Kind switch
    {
        ProcessEndKind.Exited => string.Create(CultureInfo.InvariantCulture, $"exited {end.Value} {(end.Value == 0 ? "success" : "exit-code")}\n"),
        ProcessEndKind.Killed => string.Create(CultureInfo.InvariantCulture, $"killed {end.Value} signal\n"),
        ProcessEndKind.Dumped => string.Create(CultureInfo.InvariantCulture, $"dumped {end.Value} core-dump\n"),
        _ => "unknown\n",
    };
}
