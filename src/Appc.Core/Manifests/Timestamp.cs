using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// A date and time in the form of RFC 3339 with <c>T</c> between the two, as the annotation <c>created</c> is
/// (<c>types.md: Timestamps Type</c>).
/// </summary>
public sealed class Timestamp : IEquatable<Timestamp>
{
    private readonly string _text;

    private Timestamp(string text, DateTimeOffset? utc)
    {
        _text = text;
        Utc = utc;
    }

    /// <summary>
    /// The moment in UTC, to the tenth of a microsecond; a leap second counts as the second after it. Null for the
    /// few moments at both ends of the calendar that .NET cannot express.
    /// </summary>
    public DateTimeOffset? Utc { get; }

    /// <summary>The timestamp of this moment, with its offset, to the second.</summary>
    public static Timestamp Of(DateTimeOffset moment)
    {
        string text = moment.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
        return Parse(text);
    }

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Timestamp Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out Timestamp? result) is { } fault
            ? throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid RFC 3339 date and time: {fault}")
            : result!;
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Timestamp? result)
    {
        result = null;
        return text is not null && Read(text, out result) is null;
    }

    /// <summary>The text form, without the fraction of the second; <c>Z</c> for an offset of zero.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(Timestamp? other) => other is not null && _text == other._text && Utc == other.Utc;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Timestamp);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Equality by text and moment.</summary>
    public static bool operator ==(Timestamp? left, Timestamp? right) => Equals(left, right);

    /// <summary>Inequality by text and moment.</summary>
    public static bool operator !=(Timestamp? left, Timestamp? right) => !Equals(left, right);

    internal static string? FaultOf(string text) => Read(text, out _);

    private static string? Read(string text, out Timestamp? result)
    {
        result = null;
        ReadOnlySpan<char> rest = text;
        if (!(TryNumber(ref rest, 4, '-', out int year) && TryNumber(ref rest, 2, '-', out int month) && TryNumber(ref rest, 2, 'T', out int day)
            && TryNumber(ref rest, 2, ':', out int hour) && TryNumber(ref rest, 2, ':', out int minute) && TryNumber(ref rest, 2, '\0', out int second)))
        {
            return "it must look like 2015-05-18T13:49:28-04:00";
        }

        long fraction = 0;
        if (rest is ['.', ..])
        {
            int digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
            {
                return "a fraction must have digits and an offset behind it";
            }

            fraction = long.Parse(rest.Slice(1, Math.Min(digits, 7)).ToString().PadRight(7, '0'), CultureInfo.InvariantCulture);
            rest = rest[(digits + 1)..];
        }

        if (!TryOffset(rest, out int offset))
        {
            return "it must end with 'Z' or an offset such as +02:00";
        }

        // The calendar repeats every 400 years, so that year 0 has as many days a month as year 400.
        bool real = month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year == 0 ? 400 : year, month)
            && hour <= 23 && minute <= 59 && second <= 60;
        if (!real)
        {
            return "there is no such date or time";
        }

        string zone = offset == 0 ? "Z" : rest.ToString();
        string date = string.Create(CultureInfo.InvariantCulture, $"{year:d4}-{month:d2}-{day:d2}T{hour:d2}:{minute:d2}:{second:d2}{zone}");
        result = new Timestamp(date, ToUtc(year, month, day, ((((hour * 60) + minute - offset) * 60L) + second) * TimeSpan.TicksPerSecond, fraction));
        return null;
    }

    private static DateTimeOffset? ToUtc(int year, int month, int day, long ticksOfDay, long fraction)
    {
        if (year == 0)
        {
            return null;
        }

        long ticks = new DateTime(year, month, day).Ticks + ticksOfDay + fraction;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
    }

    private static bool TryNumber(ref ReadOnlySpan<char> text, int digits, char separator, out int number)
    {
        number = 0;
        bool separated = separator != '\0';
        if (text.Length < digits + (separated ? 1 : 0) || text[..digits].ContainsAnyExceptInRange('0', '9')
            || (separated && char.ToUpperInvariant(text[digits]) != separator))
        {
            return false;
        }

        number = int.Parse(text[..digits], CultureInfo.InvariantCulture);
        text = text[(digits + (separated ? 1 : 0))..];
        return true;
    }

    /// <summary>The offset in minutes.</summary>
    private static bool TryOffset(ReadOnlySpan<char> text, out int offset)
    {
        offset = 0;
        if (text is "Z" or "z")
        {
            return true;
        }

        if (text.Length != 6 || text[0] is not ('+' or '-'))
        {
            return false;
        }

        ReadOnlySpan<char> rest = text[1..];
        if (!TryNumber(ref rest, 2, ':', out int hours) || !TryNumber(ref rest, 2, '\0', out int minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }

        offset = ((hours * 60) + minutes) * (text[0] == '-' ? -1 : 1);
        return true;
    }
}
