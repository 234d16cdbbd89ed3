using System.Text.RegularExpressions;

namespace Appc.Signing.Store;

/// <summary>Fingerprints as people and files write them.</summary>
internal static partial class Fingerprints
{
    /// <summary>Whether a file name is a fingerprint: 40 (version 4) or 64 (version 6) digits of lower-case hex.</summary>
    public static bool IsName(string name) => Pattern().IsMatch(name);

    /// <summary>The canonical form of a fingerprint with any case, blanks, or a leading 0x; null if it is none.</summary>
    public static string? Normalize(string text)
    {
        string compact = text.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        compact = compact.StartsWith("0x", StringComparison.Ordinal) ? compact[2..] : compact;
        return IsName(compact) ? compact : null;
    }

    [GeneratedRegex(@"\A[0-9a-f]{40}([0-9a-f]{24})?\z")]
    private static partial Regex Pattern();
}
