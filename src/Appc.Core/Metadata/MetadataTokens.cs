using System.Collections.Concurrent;
using Appc.Pods;

namespace Appc.Metadata;

/// <summary>Finds pods by the secret in their URLs, for those that have no network of their own to be known by.</summary>
internal sealed class MetadataTokens(PodDirectories pods)
{
    // Looked up by hash, so how long it takes tells nothing about secrets that others have.
    private readonly ConcurrentDictionary<string, string> _uuids = new(StringComparer.Ordinal);
    private readonly Lock _looking = new();

    /// <summary>What a URL ends with.</summary>
    public static string TokenOf(PodMetadataRecord record) => record.Url[(record.Url.LastIndexOf('/') + 1)..];

    /// <summary>The pod of a secret, as long as it is among those that were started and not yet found to have ended.</summary>
    public PodLocation? Find(string token)
    {
        if (!_uuids.TryGetValue(token, out string? uuid))
        {
            Look();
            if (!_uuids.TryGetValue(token, out uuid))
            {
                return null;
            }
        }

        return pods.Find(uuid) is { Phase: PodPhase.Run } pod && pods.IsLocked(uuid) ? pod : null;
    }

    /// <summary>Learns of pods that were started, and forgets those that are gone; one at a time, however many ask.</summary>
    private void Look()
    {
        lock (_looking)
        {
            HashSet<string> found = new(StringComparer.Ordinal);
            foreach (PodLocation pod in pods.Enumerate().Where(p => p.Phase == PodPhase.Run))
            {
                if (PodMetadata.Read(pod.Directory) is { InPod: false } record)
                {
                    string token = TokenOf(record);
                    found.Add(token);
                    _uuids[token] = pod.Uuid;
                }
            }

            foreach (string gone in _uuids.Keys.Where(t => !found.Contains(t)))
            {
                _uuids.TryRemove(gone, out _);
            }
        }
    }
}
