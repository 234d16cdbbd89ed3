namespace Appc.Fetching;

/// <summary>Passes on how far one image has come, at most ten times a second and at every change of phase.</summary>
internal sealed class ProgressReporter(IProgress<FetchProgress>? sink, string source, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private string? _phase;
    private long _last;

    public void Report(string phase, long bytes, long? total)
    {
        if (sink is null)
        {
            return;
        }

        long now = time.GetTimestamp();
        if (phase != _phase || bytes == total || time.GetElapsedTime(_last, now) >= Interval)
        {
            _phase = phase;
            _last = now;
            sink.Report(new FetchProgress(phase, source, bytes, total));
        }
    }
}
