using System.Text.RegularExpressions;

namespace Appc.Manifests;

/// <summary>An image id: sha512- and 128 hexadecimal digits, the SHA-512 of the uncompressed archive.</summary>
public sealed partial class ImageId : IEquatable<ImageId>, IComparable<ImageId>
{
    private readonly string _text;

    private ImageId(string text) => _text = text;

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static ImageId Parse(string text) =>
        TryParse(text, out ImageId? result) ? result : throw new ManifestException($"'{text}' is not a valid image id");

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ImageId? result)
    {
        result = text is not null && Pattern().IsMatch(text) ? new ImageId(text) : null;
        return result is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(ImageId? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ImageId);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public int CompareTo(ImageId? other) => string.CompareOrdinal(_text, other?._text);

    /// <summary>Equality by text.</summary>
    public static bool operator ==(ImageId? left, ImageId? right) => Equals(left, right);

    /// <summary>Inequality by text.</summary>
    public static bool operator !=(ImageId? left, ImageId? right) => !Equals(left, right);

    [GeneratedRegex("\\Asha512-[0-9a-f]{128}\\z")]
    private static partial Regex Pattern();
}
