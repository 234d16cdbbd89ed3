namespace Appc.Linux;

/// <summary>Threads that allocate, and one that collects, for as long as a test runs beside them.</summary>
internal sealed class GarbageLoad : IDisposable
{
    private readonly Thread[] _threads;
    private volatile bool _stop;

    public GarbageLoad()
    {
        _threads = [new Thread(Allocate), new Thread(Allocate), new Thread(Collect)];
        foreach (Thread thread in _threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
    }

    public int Collections { get; private set; }

    public void Dispose()
    {
        _stop = true;
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Allocate()
    {
        List<byte[]> kept = [];
        while (!_stop)
        {
            kept.Add(new byte[1024]);
            if (kept.Count > 5000)
            {
                kept = [];
                Thread.Sleep(1);
            }
        }
    }

    private void Collect()
    {
        while (!_stop)
        {
            GC.Collect();
            Collections++;

            // Without a pause, every transition to native code would wait for the collection of whatever heap the process has.
            Thread.Sleep(2);
        }
    }
}
