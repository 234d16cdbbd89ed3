using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>One value or member name of a document: where it stands and where its subtree ends.</summary>
internal struct JsonToken
{
    /// <summary>Offset of the first byte; for strings and names, of the opening quote.</summary>
    public int Start;

    /// <summary>Length in bytes, quotes and brackets included.</summary>
    public int Length;

    /// <summary>Index of the first token behind this one's subtree.</summary>
    public int Next;

    /// <summary>Number of members or items of a container.</summary>
    public int Count;

    /// <summary>What it is; a container is known by its start token.</summary>
    public JsonTokenType Kind;

    /// <summary>Whether a string has escape sequences in it.</summary>
    public bool Escaped;
}
