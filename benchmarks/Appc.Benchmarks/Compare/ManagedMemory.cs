namespace Appc.Benchmarks.Compare;

/// <summary>Watches how large the managed heap becomes.</summary>
internal sealed class ManagedMemory : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    public ManagedMemory()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _thread = new Thread(Watch) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>Most bytes that live and dead objects had at any look, every 2 ms.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Most bytes that the collector had taken from the system.</summary>
    public long PeakCommittedBytes { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        do
        {
            PeakBytes = Math.Max(PeakBytes, GC.GetTotalMemory(forceFullCollection: false));
            PeakCommittedBytes = Math.Max(PeakCommittedBytes, GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes);
        }
        while (!_stop.Token.WaitHandle.WaitOne(2));
    }
}
