using Appc.Stage1;

namespace Appc.Pods;

/// <summary>What <see cref="PodWatch"/> knows of a pod.</summary>
internal sealed class WatchedPod(string uuid) : IDisposable
{
    private CancellationTokenSource? _processes;

    public string Uuid { get; } = uuid;

    /// <summary>The last look; null before the first one.</summary>
    public PodStatus? Status { get; set; }

    public bool IsFollowed { get; set; }

    public int DirectoryWatch { get; set; } = -1;

    public int StatusWatch { get; set; } = -1;

    /// <summary>The process whose end is waited for.</summary>
    public Stage1ProcessId? Process { get; set; }

    /// <summary>Whether its end was announced.</summary>
    public bool Ending { get; set; }

    /// <summary>When to look again although nothing says that something happened; null for never.</summary>
    public TimeSpan? NextLook { get; set; }

    /// <summary>Cancelled when its processes are of no interest any more.</summary>
    public CancellationToken Token => (_processes ??= new CancellationTokenSource()).Token;

    public void StopFollowing()
    {
        _processes?.Cancel();
        _processes?.Dispose();
        _processes = null;
        Process = null;
        NextLook = null;
    }

    public void Dispose() => StopFollowing();
}
