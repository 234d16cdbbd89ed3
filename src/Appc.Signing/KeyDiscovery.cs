using Appc.Fetching;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Signing;

/// <summary>
/// Brings the keys that publishers offer. Nothing is trusted by it: whoever controls a web server controls what it
/// offers, so a person compares the fingerprints with ones that came another way.
/// </summary>
public sealed class KeyDiscovery
{
    private readonly Keystore _keystore;
    private readonly ImageDiscovery _discovery;

    /// <summary>Makes a client.</summary>
    /// <param name="keystore">Whose rules the keys are judged by.</param>
    /// <param name="discovery">Makes the requests. It is not disposed.</param>
    public KeyDiscovery(Keystore keystore, ImageDiscovery discovery)
    {
        ArgumentNullException.ThrowIfNull(keystore);
        ArgumentNullException.ThrowIfNull(discovery);
        _keystore = keystore;
        _discovery = discovery;
    }

    /// <summary>The keys that the pages of a name offer for it (<c>ac-discovery-pubkeys</c>), each once.</summary>
    /// <param name="prefix">The name, or a prefix of names.</param>
    /// <param name="allowHttp">Whether plain http may be used: whoever sits on the way can then put keys of their own in place.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The keys; at least one.</returns>
    /// <exception cref="FetchException">No page offers keys, or they could not be had.</exception>
    /// <exception cref="TrustException">What was offered cannot be read as public keys.</exception>
    public async Task<IReadOnlyList<OfferedKey>> DiscoverAsync(AcIdentifier prefix, bool allowHttp = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        var options = new DiscoveryOptions { Images = false, AllowHttp = allowHttp };
        DiscoveryResult result = await _discovery.DiscoverAsync(prefix, null, options, cancellationToken).ConfigureAwait(false);
        if (result.PublicKeys.Count == 0)
        {
            throw new FetchException(
                FetchFailure.DiscoveryFailed, $"no place offers keys for {prefix}", $"'appc discover {prefix}' shows what was tried; a key file can be given instead");
        }

        List<OfferedKey> keys = [];
        foreach (string url in result.PublicKeys)
        {
            keys.AddRange(await ReadUrlAsync(url, allowHttp, cancellationToken).ConfigureAwait(false));
        }

        return keys.DistinctBy(k => k.Key.ToArmor()).ToArray();
    }

    /// <summary>The keys at an address.</summary>
    /// <param name="url">An https address.</param>
    /// <param name="allowHttp">Whether plain http may be used.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="FetchException">They could not be had.</exception>
    /// <exception cref="TrustException">What came cannot be read as public keys.</exception>
    public async Task<IReadOnlyList<OfferedKey>> ReadUrlAsync(string url, bool allowHttp = false, CancellationToken cancellationToken = default)
    {
        byte[] content = await _discovery.DownloadKeysAsync(url, allowHttp, cancellationToken).ConfigureAwait(false);
        using var stream = new MemoryStream(content, writable: false);
        IReadOnlyList<OpenPgpKey> keys = await _keystore.ReadNamedKeysAsync(stream, $"the key file at {CleanText.From(url)}", cancellationToken).ConfigureAwait(false);
        return keys.Select(k => new OfferedKey(k, url)).ToArray();
    }
}
