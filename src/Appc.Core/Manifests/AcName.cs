using System.Text.RegularExpressions;

namespace Appc.Manifests;

/// <summary>An AC Name: the name of an app in a pod, a volume, a mount point or a port.</summary>
public sealed partial class AcName : IEquatable<AcName>, IComparable<AcName>
{
    private readonly string _text;

    private AcName(string text) => _text = text;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static AcName Parse(string text) =>
        TryParse(text, out AcName? result) ? result : throw new ManifestException($"'{text}' is not a valid AC name");

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AcName? result)
    {
        result = text is not null && Pattern().IsMatch(text) ? new AcName(text) : null;
        return result is not null;
    }

    /// <inheritdoc/>
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

    [GeneratedRegex("\\A[a-z0-9]+(-[a-z0-9]+)*\\z")]
    private static partial Regex Pattern();
}
