using Appc.Manifests;

namespace Appc.Trust;

/// <summary>How a prefix of image names is matched: by whole path components, never by characters.</summary>
public static class NameScope
{
    /// <summary>
    /// Whether a scope covers a name. The empty scope covers every name; <c>example.com/foo</c> covers
    /// itself and <c>example.com/foo/bar</c>, and not <c>example.com/foobar</c>.
    /// </summary>
    public static bool Covers(string scope, AcIdentifier name)
    {
        ArgumentNullException.ThrowIfNull(scope);
        string text = name.ToString();
        return scope.Length == 0
            || (text.StartsWith(scope, StringComparison.Ordinal)
                && (text.Length == scope.Length || text[scope.Length] == '/'));
    }
}
