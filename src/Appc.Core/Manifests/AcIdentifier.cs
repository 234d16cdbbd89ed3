using System.Text.RegularExpressions;

namespace Appc.Manifests;

/// <summary>An AC Identifier: the name of an image, label, annotation or isolator.</summary>
public sealed partial class AcIdentifier : IEquatable<AcIdentifier>, IComparable<AcIdentifier>
{
    private readonly string _text;

    private AcIdentifier(string text) => _text = text;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static AcIdentifier Parse(string text) =>
        TryParse(text, out AcIdentifier? result) ? result : throw new ManifestException($"'{text}' is not a valid AC identifier");

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AcIdentifier? result)
    {
        result = text is not null && Pattern().IsMatch(text) ? new AcIdentifier(text) : null;
        return result is not null;
    }

    /// <inheritdoc/>
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

    [GeneratedRegex("\\A[a-z0-9]+([-._~/][a-z0-9]+)*\\z")]
    private static partial Regex Pattern();
}
