using System.Diagnostics.CodeAnalysis;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An AC Kind: what sort of manifest a document is. The specification defines two.</summary>
public sealed class AcKind : IEquatable<AcKind>
{
    private readonly string _text;

    private AcKind(string text) => _text = text;

    /// <summary>The kind of image manifests.</summary>
    public static AcKind ImageManifest { get; } = new("ImageManifest");

    /// <summary>The kind of pod manifests.</summary>
    public static AcKind PodManifest { get; } = new("PodManifest");

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not one of the defined kinds.</exception>
    public static AcKind Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out AcKind? kind)
            ? kind
            : throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid AC Kind: it must be 'ImageManifest' or 'PodManifest'");
    }

    /// <summary>Parses the text form; false if it is not one of the defined kinds.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AcKind? result)
    {
        result = text switch
        {
            "ImageManifest" => ImageManifest,
            "PodManifest" => PodManifest,
            _ => null,
        };
        return result is not null;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(AcKind? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AcKind);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Equality by text.</summary>
    public static bool operator ==(AcKind? left, AcKind? right) => Equals(left, right);

    /// <summary>Inequality by text.</summary>
    public static bool operator !=(AcKind? left, AcKind? right) => !Equals(left, right);
}
