using System.Globalization;

namespace Appc.Manifests.Json;

/// <summary>
/// The text forms of the command line: <c>NAME,KEY=VALUE,...</c>. Nothing in them is escaped, so that a value cannot
/// have a comma; every other character stands for itself.
/// </summary>
internal sealed class PairText
{
    private readonly List<KeyValuePair<string, string>> _pairs = [];

    private PairText(string what, string text)
    {
        What = what;
        Text = text;
    }

    public IReadOnlyList<KeyValuePair<string, string>> Pairs => _pairs;

    private string What { get; }

    private string Text { get; }

    /// <summary>Splits a text whose first part is the value of <paramref name="first"/>, or with null one that has nothing but pairs.</summary>
    public static PairText Parse(string what, string text, string? first)
    {
        ArgumentNullException.ThrowIfNull(text);
        PairText result = new(what, text);
        string[] parts = text.Split(',');
        for (int index = 0; index < parts.Length; index++)
        {
            int equals = parts[index].IndexOf('=', StringComparison.Ordinal);
            if (index == 0 && first is not null)
            {
                result.Add(first, parts[0]);
            }
            else if (equals < 0)
            {
                throw result.Fault($"'{ShownText.Shorten(parts[index])}' has no '='");
            }
            else
            {
                result.Add(parts[index][..equals], parts[index][(equals + 1)..]);
            }
        }

        return result;
    }

    public ManifestException Fault(string fault) => new($"'{ShownText.Shorten(Text)}' is not a valid {What}: {fault}");

    public ManifestException UnknownKey(string key) => Fault($"there is no parameter '{ShownText.Shorten(key)}'");

    /// <summary>Reads a part with the parser of its type, and names the whole text where that fails.</summary>
    public T Read<T>(string value, Func<string, T> parse)
    {
        try
        {
            return parse(value);
        }
        catch (ManifestException exception)
        {
            throw Fault(exception.Message);
        }
    }

    public bool Flag(string key, string value) => value switch
    {
        "1" or "t" or "T" or "true" or "True" or "TRUE" => true,
        "0" or "f" or "F" or "false" or "False" or "FALSE" => false,
        _ => throw Fault($"{key} must be true or false"),
    };

    public long Number(string key, string value, long most) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= most
            ? number
            : throw Fault(string.Create(CultureInfo.InvariantCulture, $"{key} must be a number up to {most}"));

    /// <summary>Throws if the rules have something against what was read.</summary>
    public T Checked<T>(T value, IReadOnlyList<ManifestFinding> findings) =>
        findings.Count == 0 ? value : throw Fault($"{findings[0].Path.TrimStart('$', '.')}: {findings[0].Message}");

    private void Add(string key, string value)
    {
        if (_pairs.Exists(pair => pair.Key == key))
        {
            throw Fault($"'{ShownText.Shorten(key)}' occurs twice");
        }

        _pairs.Add(new(key, value));
    }
}
