namespace Appc.Manifests;

/// <summary>Which of the two manifests a document is, or is to be.</summary>
public enum ManifestKind
{
    /// <summary>Either: what the document's <c>acKind</c> says.</summary>
    Auto,

    /// <summary>An image manifest.</summary>
    Image,

    /// <summary>A pod manifest.</summary>
    Pod,
}
