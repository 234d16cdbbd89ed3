using Appc.Pods;

namespace Appc.PodStress;

/// <summary>What a subscriber was told of one pod.</summary>
internal sealed class ToldEvents
{
    private static readonly PodEventKind[] s_all =
    [
        PodEventKind.Created, PodEventKind.Prepared, PodEventKind.Started, PodEventKind.Ready, PodEventKind.AppEnded, PodEventKind.Ended, PodEventKind.Removed,
    ];

    private readonly TaskCompletionSource[] _came = [.. s_all.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
    private int _count;

    /// <summary>The exit code that was told with the end.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Whether the pod came and went before it was looked at a second time, so that only this is told.</summary>
    public bool CutShort { get; private set; }

    /// <summary>Takes the next event; false if another one had to come.</summary>
    public bool Take(PodEvent next)
    {
        if (next.Kind == PodEventKind.Removed && _count is 1 or 2)
        {
            CutShort = true;
            while (_count < s_all.Length)
            {
                _came[_count++].SetResult();
            }

            return true;
        }

        if (_count == s_all.Length || s_all[_count] != next.Kind)
        {
            return false;
        }

        ExitCode = next.Kind == PodEventKind.Ended ? next.ExitCode : ExitCode;
        _came[_count++].SetResult();
        return true;
    }

    /// <summary>Waits for an event, and with it for all that come before it.</summary>
    public Task WaitAsync(PodEventKind kind) => _came[Array.IndexOf(s_all, kind)].Task.WaitAsync(Soak.Patience);
}
