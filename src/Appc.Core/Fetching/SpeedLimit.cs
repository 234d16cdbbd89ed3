using System.Globalization;

namespace Appc.Fetching;

/// <summary>Ends a transfer that goes on, but too slowly to be meant well.</summary>
internal sealed class SpeedLimit(ImageFetcherOptions options)
{
    private long _start = options.TimeProvider.GetTimestamp();
    private long _bytes;

    /// <summary>Counts bytes that came.</summary>
    /// <exception cref="FetchException">Fewer came in the last period than must.</exception>
    public void Check(Uri url, int count)
    {
        _bytes += count;
        TimeSpan elapsed = options.TimeProvider.GetElapsedTime(_start);
        if (elapsed < options.IdleTimeout)
        {
            return;
        }

        if (_bytes < options.MinimumSpeed * elapsed.TotalSeconds)
        {
            throw new FetchException(
                FetchFailure.Network,
                string.Create(CultureInfo.InvariantCulture, $"{DisplayText.Clean(url)}: the server sent {_bytes} bytes in {elapsed.TotalSeconds:0} s, fewer than {options.MinimumSpeed} a second"));
        }

        _start = options.TimeProvider.GetTimestamp();
        _bytes = 0;
    }
}
