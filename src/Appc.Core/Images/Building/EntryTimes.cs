using System.Globalization;
using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>The rule for times: a fixed one for all, or each its own but none later than SOURCE_DATE_EPOCH.</summary>
internal sealed class EntryTimes
{
    private const string Variable = "SOURCE_DATE_EPOCH";

    // The end of the year 9999: a larger number is a mistake, such as milliseconds.
    private const long LargestEpoch = 253_402_300_799;

    private readonly TarTime? _fixed;
    private readonly long _latest = long.MaxValue;

    /// <exception cref="ImageException">The environment variable is set to what is no time.</exception>
    public EntryTimes(DateTimeOffset? fixedTime)
    {
        if (fixedTime is { } time)
        {
            _fixed = Of(time);
        }
        else if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _latest) || _latest > LargestEpoch)
            {
                throw new ImageException(
                    ImageFailure.Storage,
                    $"the environment variable {Variable} is '{ByteText.Show(System.Text.Encoding.UTF8.GetBytes(text))}', which is no time",
                    "set it to a number of seconds since 1970, such as the output of: git log -1 --format=%ct");
            }
        }
    }

    public static TarTime Of(DateTimeOffset time)
    {
        long seconds = time.ToUnixTimeSeconds();
        return new TarTime(seconds, (int)((time.UtcTicks - DateTimeOffset.FromUnixTimeSeconds(seconds).UtcTicks) * 100));
    }

    /// <summary>The time of an entry that is new.</summary>
    public TarTime For(TarTime own) => _fixed ?? (own.Seconds >= _latest ? new TarTime(_latest, 0) : own);

    /// <summary>The time of an entry that comes from an image as it was: only an order for all of them changes it.</summary>
    public TarTime ForKept(TarTime own) => _fixed ?? own;
}
