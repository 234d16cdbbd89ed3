using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// An image id: <c>sha512-</c> and 128 hexadecimal digits, the SHA-512 of the uncompressed archive. Upper-case digits
/// are read too; ids are compared without regard to case and written in lower case.
/// </summary>
public sealed class ImageId : IEquatable<ImageId>, IComparable<ImageId>
{
    private const string Prefix = "sha512-";
    private const int ShortLength = 39;
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdefABCDEF");
    private readonly string _text;

    private ImageId(string text) => _text = text;

    /// <summary>The id cut to <c>sha512-</c> and 32 digits, for people to read.</summary>
    public string Short => _text[..ShortLength];

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static ImageId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out ImageId? result)
            ? result
            : throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid image id: it must be 'sha512-' and 128 hexadecimal digits");
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageId? result)
    {
        result = text is not null && text.Length == Prefix.Length + 128 && IsPrefix(text) ? new ImageId(text.ToLowerInvariant()) : null;
        return result is not null;
    }

    /// <summary>The id of these bytes: of an uncompressed archive.</summary>
    public static ImageId OfBytes(byte[] archive)
    {
        ArgumentNullException.ThrowIfNull(archive);
        return new ImageId(Prefix + Convert.ToHexStringLower(SHA512.HashData(archive)));
    }

    /// <summary>The id with this digest.</summary>
    /// <param name="digest">The 64 bytes of a SHA-512.</param>
    /// <exception cref="ArgumentException">There are not 64 bytes.</exception>
    public static ImageId OfDigest(byte[] digest)
    {
        ArgumentNullException.ThrowIfNull(digest);
        return digest.Length == SHA512.HashSizeInBytes
            ? new ImageId(Prefix + Convert.ToHexStringLower(digest))
            : throw new ArgumentException("A SHA-512 has 64 bytes.", nameof(digest));
    }

    /// <summary>Whether a text is the beginning of an image id: <c>sha512-</c> and 1 to 128 hexadecimal digits.</summary>
    public static bool IsPrefix(string? text) =>
        text is not null
        && text.Length > Prefix.Length
        && text.Length <= Prefix.Length + 128
        && text.StartsWith(Prefix, StringComparison.Ordinal)
        && !text.AsSpan(Prefix.Length).ContainsAnyExcept(s_digits);

    /// <summary>Whether the id begins with this text, which may be shorter than an id.</summary>
    public bool StartsWith(string prefix) => IsPrefix(prefix) && _text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>The text form, in lower case.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(ImageId? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ImageId);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public int CompareTo(ImageId? other) => string.CompareOrdinal(_text, other?._text);

    /// <summary>Equality by text, without regard to case.</summary>
    public static bool operator ==(ImageId? left, ImageId? right) => Equals(left, right);

    /// <summary>Inequality by text, without regard to case.</summary>
    public static bool operator !=(ImageId? left, ImageId? right) => !Equals(left, right);
}
