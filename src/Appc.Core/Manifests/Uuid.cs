using System.Diagnostics.CodeAnalysis;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// The UUID of a pod (<c>ace.md: Pod UUID</c>), in the form of RFC 4122. Read with hyphens in their four places or
/// without any, in either case; written in lower case with hyphens. The nil UUID names no pod and is not valid.
/// </summary>
public sealed class Uuid : IEquatable<Uuid>, IComparable<Uuid>
{
    private readonly string _text;

    private Uuid(Guid guid)
    {
        Value = guid;
        _text = guid.ToString("D");
    }

    /// <summary>The UUID as .NET has it.</summary>
    public Guid Value { get; }

    /// <summary>A new random UUID.</summary>
    public static Uuid Random() => new(Guid.NewGuid());

    /// <summary>The UUID that .NET has as this.</summary>
    /// <exception cref="ManifestException">It is the nil UUID.</exception>
    public static Uuid Of(Guid value) =>
        value == Guid.Empty ? throw new ManifestException("the nil UUID names no pod") : new Uuid(value);

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Uuid Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out Uuid? result)
            ? result
            : throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid UUID of a pod: it must be 32 hexadecimal digits, not all 0, with hyphens as in 8e1f3b52-7c4d-4a96-b0e3-5d2c9f1a646f or without");
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Uuid? result)
    {
        string form = text?.Length == 32 ? "N" : "D";
        bool valid = text?.Length is 32 or 36 && Guid.TryParseExact(text, form, out Guid guid) && guid != Guid.Empty && IsPlain(text);
        result = valid ? new Uuid(Guid.ParseExact(text!, form)) : null;
        return valid;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(Uuid? other) => other is not null && Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Uuid);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(Uuid? other) => string.CompareOrdinal(_text, other?._text);

    /// <summary>Equality of the values.</summary>
    public static bool operator ==(Uuid? left, Uuid? right) => Equals(left, right);

    /// <summary>Inequality of the values.</summary>
    public static bool operator !=(Uuid? left, Uuid? right) => !Equals(left, right);

    // Guid trims white space and reads prefixes within the digits, which are no part of a UUID.
    private static bool IsPlain(string text) => text.All(static character => char.IsAsciiHexDigit(character) || character == '-');
}
