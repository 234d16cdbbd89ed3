namespace Appc.Images;

/// <summary>A part of a stored image.</summary>
public enum ImagePart
{
    /// <summary>The archive as it was signed.</summary>
    Archive,

    /// <summary>The signature, or who made it.</summary>
    Signature,

    /// <summary>The copy of the manifest beside the archive.</summary>
    Manifest,

    /// <summary>The record of where the image came from.</summary>
    Provenance,

    /// <summary>The image's own tree, or the list of its directories without an entry.</summary>
    Tree,

    /// <summary>A tree that was rendered from the image and its dependencies.</summary>
    Rendered,
}
