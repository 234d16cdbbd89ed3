using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// An AC Identifier: what images, labels, annotations and isolators are called. Lower-case ASCII letters and digits
/// with <c>- . _ ~ /</c> between them. Separators may follow each other, as in the specification's own
/// <c>example.com/~user/app_v1</c>; but no part between slashes is <c>.</c> or <c>..</c>.
/// </summary>
public sealed class AcIdentifier : IEquatable<AcIdentifier>, IComparable<AcIdentifier>
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._~/");
    private readonly string _text;

    private AcIdentifier(string text) => _text = text;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static AcIdentifier Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return FaultOf(text) is { } fault
            ? throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid AC Identifier: {fault}")
            : new AcIdentifier(text);
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AcIdentifier? result)
    {
        result = text is not null && FaultOf(text) is null ? new AcIdentifier(text) : null;
        return result is not null;
    }

    /// <summary>The nearest valid identifier: lower-cased, with an underscore for each other character, without separators at the ends.</summary>
    /// <exception cref="ManifestException">Nothing is left of the text.</exception>
    public static AcIdentifier Sanitize(string text)
    {
        string clean = Sanitizer.Clean(text, s_allowed, "_-.~/", single: false);
        while (clean.Contains("/../", StringComparison.Ordinal) || clean.Contains("/./", StringComparison.Ordinal))
        {
            clean = clean.Replace("/../", "/__/", StringComparison.Ordinal).Replace("/./", "/_/", StringComparison.Ordinal);
        }

        return Parse(clean);
    }

    /// <summary>The text form.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(AcIdentifier? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AcIdentifier);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public int CompareTo(AcIdentifier? other) => string.CompareOrdinal(_text, other?._text);

    /// <summary>Equality by text.</summary>
    public static bool operator ==(AcIdentifier? left, AcIdentifier? right) => Equals(left, right);

    /// <summary>Inequality by text.</summary>
    public static bool operator !=(AcIdentifier? left, AcIdentifier? right) => !Equals(left, right);

    internal static string? FaultOf(string text)
    {
        if (text.Length == 0)
        {
            return "it is empty";
        }

        if (text.AsSpan().ContainsAnyExcept(s_allowed))
        {
            return "only lower-case letters, digits and - . _ ~ / are allowed";
        }

        if (!char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
        {
            return "it does not begin and end with a letter or digit";
        }

        // Names become paths: in a registry, in a keystore, on a web server.
        return text.Contains("/./", StringComparison.Ordinal) || text.Contains("/../", StringComparison.Ordinal)
            ? "one of its parts is '.' or '..'"
            : null;
    }
}
