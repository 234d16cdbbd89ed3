using Appc.Signing.Checks;
using Appc.Signing.Packets;

namespace Appc.Signing;

/// <summary>A public key as a person judges it: what it is, and whether it can sign images today.</summary>
public sealed class OpenPgpKey
{
    internal OpenPgpKey(Certificate certificate, OpenPgpPolicy policy, DateTimeOffset now)
    {
        var checker = new CertificateChecker(certificate, policy, now);
        KeyState primary = checker.Primary;
        Certificate = certificate;
        UserIds = certificate.UserIds.Where(u => u.Tag == PacketTag.UserId).Select(u => CleanText.From(u.Body.Span)).ToArray();
        Expires = primary.Expires;
        IsRevoked = primary.Revocation is not null;
        RevocationReason = primary.Revocation?.Describe();
        Subkeys = certificate.Subkeys.Select(block =>
        {
            KeyState state = checker.Subkey(block);
            return new OpenPgpSubkey(
                block.Key.Fingerprint, block.Key.Material.Name, block.Key.Created, state.Expires, state.Revocation is not null, state.Problem);
        }).ToArray();
        Problem = primary.Problem is null || Subkeys.Any(s => s.Problem is null) ? null : primary.Problem;
    }

    internal Certificate Certificate { get; }

    /// <summary>Fingerprint of the primary key, in lower-case hex. Trust is given to this.</summary>
    public string Fingerprint => Certificate.Fingerprint;

    /// <summary>Such as <c>RSA 4096</c>, <c>Ed25519</c> or <c>P-256</c>.</summary>
    public string Algorithm => Certificate.Primary.Material.Name;

    /// <summary>The key's user ids, cleaned of control characters. Anybody can write any name into a key.</summary>
    public IReadOnlyList<string> UserIds { get; }

    /// <summary>When the key was made.</summary>
    public DateTimeOffset Created => Certificate.Primary.Created;

    /// <summary>When the key expires; null if never.</summary>
    public DateTimeOffset? Expires { get; }

    /// <summary>Whether the key's owner revoked it.</summary>
    public bool IsRevoked { get; }

    /// <summary>When and why it was revoked, as a phrase; null if it is not.</summary>
    public string? RevocationReason { get; }

    /// <summary>The key's subkeys.</summary>
    public IReadOnlyList<OpenPgpSubkey> Subkeys { get; }

    /// <summary>Why neither the key nor a subkey can sign images today, as a phrase; null if one can.</summary>
    public string? Problem { get; }

    /// <summary>The fingerprint in groups of four, as people compare it.</summary>
    public string FormatFingerprint() => string.Join(' ', Fingerprint.ToUpperInvariant().Chunk(4).Select(c => new string(c)));

    /// <summary>The key in armor, as keystores hold it.</summary>
    public string ToArmor() => Armor.Encode(Armor.PublicKey, Certificate.Encoded.Span);

    /// <inheritdoc/>
    public override string ToString() => $"{Fingerprint} ({Algorithm}{(UserIds.Count > 0 ? $", {UserIds[0]}" : "")})";
}
