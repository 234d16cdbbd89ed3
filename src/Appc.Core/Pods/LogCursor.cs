using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Appc.Pods;

/// <summary>
/// How far the logs of a pod were copied. It moves on with each piece that has been written, so that a copy that ended for whatever reason
/// is continued with the same cursor, or in another process with one made from its text, without loss and without doubling.
/// Thread safe.
/// </summary>
public sealed class LogCursor
{
    private static readonly (LogStream Stream, string Suffix)[] s_streams = [(LogStream.Output, ".out"), (LogStream.Error, ".err")];

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, long> _offsets = new(StringComparer.Ordinal);
    private long _skipped;

    /// <summary>A cursor before the first byte of every stream.</summary>
    public LogCursor()
    {
    }

    /// <summary>
    /// How many bytes were not copied in the copies that this object took part in, because the limit of the logs had freed them
    /// before they could be (<see cref="Stage1.Stage1Options.LogLimit"/>); the rest of a line that was cut is among them.
    /// </summary>
    public long Skipped
    {
        get
        {
            lock (_gate)
            {
                return _skipped;
            }
        }
    }

    /// <summary>The positions in those streams of which something was copied.</summary>
    public IReadOnlyList<LogPosition> Positions
    {
        get
        {
            lock (_gate)
            {
                return _offsets.Select(o => new LogPosition(o.Key[..^4], s_streams.First(s => o.Key.EndsWith(s.Suffix, StringComparison.Ordinal)).Stream, o.Value)).ToArray();
            }
        }
    }

    /// <summary>Reads what <see cref="ToString"/> has written.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static LogCursor Parse(string text) =>
        TryParse(text, out LogCursor? cursor) ? cursor : throw new FormatException("a log cursor consists of words such as APP.out=123 and APP.err=45");

    /// <summary>As <see cref="Parse"/>, for text that may be anything.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out LogCursor? cursor)
    {
        cursor = null;
        LogCursor read = new();
        foreach (string word in (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = word.Split('=', 2);
            if (pair.Length < 2 || pair[0].Length < 5 || !s_streams.Any(s => pair[0].EndsWith(s.Suffix, StringComparison.Ordinal))
                || !long.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                return false;
            }

            read._offsets[pair[0]] = offset;
        }

        cursor = read;
        return true;
    }

    /// <summary>The positions as one line of text, for another process.</summary>
    public override string ToString()
    {
        lock (_gate)
        {
            return string.Join(' ', _offsets.Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Key}={o.Value}")));
        }
    }

    internal long? Find(string file)
    {
        lock (_gate)
        {
            return _offsets.TryGetValue(file, out long offset) ? offset : null;
        }
    }

    internal void Move(string file, long offset, long skipped = 0)
    {
        lock (_gate)
        {
            _offsets[file] = offset;
            _skipped += skipped;
        }
    }
}
