using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An AC Name: what apps, volumes, mount points and ports of a pod are called. Lower-case ASCII letters and digits, with single hyphens between them.</summary>
public sealed class AcName : IEquatable<AcName>, IComparable<AcName>
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private readonly string _text;

    private AcName(string text) => _text = text;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static AcName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return FaultOf(text) is { } fault
            ? throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid AC Name: {fault}")
            : new AcName(text);
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AcName? result)
    {
        result = text is not null && FaultOf(text) is null ? new AcName(text) : null;
        return result is not null;
    }

    /// <summary>The nearest valid name: lower-cased, with a hyphen for each other character, without hyphens at the ends and with single ones inside.</summary>
    /// <exception cref="ManifestException">Nothing is left of the text.</exception>
    public static AcName Sanitize(string text) => Parse(Sanitizer.Clean(text, s_allowed, "-", single: true));

    /// <summary>The text form.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(AcName? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AcName);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public int CompareTo(AcName? other) => string.CompareOrdinal(_text, other?._text);

    /// <summary>Equality by text.</summary>
    public static bool operator ==(AcName? left, AcName? right) => Equals(left, right);

    /// <summary>Inequality by text.</summary>
    public static bool operator !=(AcName? left, AcName? right) => !Equals(left, right);

    internal static string? FaultOf(string text)
    {
        if (text.Length == 0)
        {
            return "it is empty";
        }

        if (text.AsSpan().ContainsAnyExcept(s_allowed))
        {
            return "only lower-case letters, digits and hyphens are allowed";
        }

        if (text[0] == '-' || text[^1] == '-')
        {
            return "it begins or ends with a hyphen";
        }

        return text.Contains("--", StringComparison.Ordinal) ? "it has two hyphens in a row" : null;
    }
}
