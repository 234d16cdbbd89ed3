using System.Buffers;
using System.Globalization;
using Appc.Manifests;

namespace Appc.Cli.CommandLine;

/// <summary>Reads the values of options.</summary>
internal static class Values
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Suffix, double Seconds)[] Units =
        [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    /// <summary>A duration such as <c>90</c> (seconds), <c>500ms</c>, <c>1m30s</c> or <c>12h</c>.</summary>
    public static TimeSpan Duration(string text, string option)
    {
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double plain))
        {
            return TimeSpan.FromSeconds(plain);
        }

        double seconds = 0;
        ReadOnlySpan<char> rest = text;
        while (rest.Length > 0)
        {
            int digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                throw Bad();
            }

            rest = rest[digits..];
            int letters = rest.IndexOfAny(NumberCharacters);
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            double scale = 0;
            foreach ((string suffix, double value) in Units)
            {
                if (unit.SequenceEqual(suffix))
                {
                    scale = value;
                }
            }

            seconds += scale > 0 ? number * scale : throw Bad();
            rest = rest[unit.Length..];
        }

        return seconds is >= 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : throw Bad();

        UsageException Bad() => new($"{option}: '{text}' is not a duration such as 10s, 1m30s or 12h");
    }

    /// <summary>A pair such as <c>KEY=VALUE</c>.</summary>
    public static KeyValuePair<string, string> Pair(string text, string option)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new KeyValuePair<string, string>(text[..equals], text[(equals + 1)..])
            : throw new UsageException($"{option}: '{text}' is not of the form KEY=VALUE");
    }

    public static bool Boolean(string text, string option) => text switch
    {
        "true" or "yes" => true,
        "false" or "no" => false,
        _ => throw new UsageException($"{option}: '{text}' is neither true nor false"),
    };

    public static int SignedNumber(string text, string option) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new UsageException($"{option}: '{text}' is not a number");

    /// <summary>Parses a value with the library; what is wrong with it is a fault of the command line.</summary>
    public static T Parse<T>(string text, string option, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (Exception exception) when (exception is ManifestException or FormatException)
        {
            throw new UsageException($"{option}: {exception.Message}");
        }
    }

    public static int Number(string text, string option) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new UsageException($"{option}: '{text}' is not a number");
}
