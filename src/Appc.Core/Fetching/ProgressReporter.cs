namespace Appc.Fetching;

/// <summary>Passes on how far one image has come, at most ten times a second and at every change of phase.</summary>
internal sealed class ProgressReporter(IProgress<FetchProgress>? sink, string source, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private string? _phase;
    private long _last;
    private long _began;
    private long _bytesAtStart;

    public void Report(string phase, long bytes, long? total)
    {
        if (sink is null)
        {
            return;
        }

        long now = time.GetTimestamp();
        if (phase != _phase)
        {
            // What a continued download already had did not come at this speed.
            (_phase, _began, _bytesAtStart) = (phase, now, bytes);
        }
        else if (bytes != total && time.GetElapsedTime(_last, now) < Interval)
        {
            return;
        }

        _last = now;
        double seconds = time.GetElapsedTime(_began, now).TotalSeconds;
        sink.Report(new FetchProgress(phase, source, bytes, total)
        {
            BytesPerSecond = seconds > 0 && bytes > _bytesAtStart ? (long)((bytes - _bytesAtStart) / seconds) : null,
        });
    }
}
