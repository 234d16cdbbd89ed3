using System.Collections.Concurrent;
using System.Security.Cryptography;
using Appc.Signing.Packets;

namespace Appc.Signing.Store;

/// <summary>
/// Keys by the very bytes of their files, so that the signatures of one that is read again are not verified again: a pod's
/// trust is looked at with each start, and the numbers take longer than all else of that. It decides nothing: files are read
/// anew, and what a key may do is found out anew. Thread safe.
/// </summary>
internal sealed class KnownKeys
{
    private const int MaxFiles = 256;
    private const int MaxFileBytes = 64 * 1024;

    private readonly ConcurrentDictionary<string, IReadOnlyList<Certificate>> _keys = new(StringComparer.Ordinal);

    /// <summary>All keys of a file, armored or binary; at least one.</summary>
    /// <exception cref="MalformedPacketException">It is no file of public keys.</exception>
    public IReadOnlyList<Certificate> Read(byte[] content)
    {
        if (content.Length > MaxFileBytes)
        {
            return Certificate.ReadAll(content);
        }

        string digest = Convert.ToHexString(SHA256.HashData(content));
        if (_keys.TryGetValue(digest, out IReadOnlyList<Certificate>? keys))
        {
            return keys;
        }

        keys = Certificate.ReadAll(content);
        if (_keys.Count >= MaxFiles)
        {
            // Files come and go rarely: to begin again is cheaper than to know which was used last.
            _keys.Clear();
        }

        _keys[digest] = keys;
        return keys;
    }
}
