using Appc.Signing.Tests.Support;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>Keys that gpg takes and that are too weak, or asked for by name.</summary>
public sealed class KeyStrengthTests(GpgKeys keys)
{
    private static readonly byte[] Image = "the bytes of an image"u8.ToArray();

    [Theory]
    [InlineData("rsa1024", false, false)]
    [InlineData("rsa1024", true, false)]
    [InlineData("rsa2048", false, true)]
    [InlineData("dsa2048", false, false)]
    [InlineData("dsa2048", true, true)]
    public async Task Weak_keys_are_not_usable(string name, bool allowDsa, bool good)
    {
        Gpg gpg = keys.Gpg;
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory.Path);
        await keystore.TrustAsync(gpg.Export(name), null);
        var policy = new OpenPgpPolicy { AllowDsa = allowDsa };
        TrustException? refusal = await new OpenPgpVerifier(keystore, policy).RefusalAsync(Image, gpg.Sign(name, Image), "a");
        Assert.Equal(good ? null : TrustFailure.KeyNotUsable, refusal?.Failure);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task Rsa_key_is_revoked_by_its_own_numbers_alone_whatever_the_hash(int hash)
    {
        Gpg gpg = keys.Gpg;
        Forge owner = Forge.Open(gpg.ExportSecret("rsa2048"));
        Forge stranger = Forge.Open(gpg.ExportSecret("rsa1024"));
        byte[] ring = gpg.Export("rsa2048");
        int first = Packets.Packet.ReadAll(ring)[0].Whole.Length;
        byte[] over = [.. owner.Key.HashPrefix(), .. owner.Key.Body.Span];
        byte[] id = Forge.Sub(Packets.SubpacketType.Issuer, owner.Key.FingerprintBytes[12..]);
        byte[] own = owner.SignKeys(Packets.SignatureType.KeyRevocation, Forge.KeyTime.AddYears(1), [owner.Key], hash);
        byte[] claimed = stranger.Sign(Packets.SignatureType.KeyRevocation, over, Forge.KeyTime.AddYears(1), hash, [], [id], issuer: false);
        Assert.True(Assert.Single(await ReadAsync(own)).IsRevoked);
        Assert.False(Assert.Single(await ReadAsync(claimed)).IsRevoked);

        Task<IReadOnlyList<OpenPgpKey>> ReadAsync(byte[] revocation) =>
            new Keystore().ReadKeysAsync(new MemoryStream([.. ring[..first], .. revocation, .. ring[first..]]));
    }

    [Fact]
    public async Task Minimum_of_rsa_can_be_raised()
    {
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory.Path);
        await keystore.TrustAsync([.. keys.Gpg.Export("rsa2048"), .. keys.Gpg.Export("rsa4096")], null);
        var verifier = new OpenPgpVerifier(keystore, new OpenPgpPolicy { MinimumRsaBits = 3072 });
        TrustException? refusal = await verifier.RefusalAsync(Image, keys.Gpg.Sign("rsa2048", Image), "a");
        Assert.Contains("3072", refusal?.Message, StringComparison.Ordinal);
        Assert.Null(await verifier.RefusalAsync(Image, keys.Gpg.Sign("rsa4096", Image), "a"));
    }

    [Theory]
    [InlineData(new byte[] { 0, 1, 1 })]
    [InlineData(new byte[] { 0, 2, 2 })]
    [InlineData(new byte[] { 0, 72, 1, 0, 0, 0, 0, 0, 0, 0, 1 })]
    public async Task Rsa_exponent_that_lets_everybody_sign_is_refused(byte[] exponent)
    {
        // With an exponent of 1 the right encoding of a digest is its own signature.
        byte[] modulus = [0x08, 0x00, .. Enumerable.Repeat((byte)0xFF, 256)];
        byte[] ring = [.. Packets.Packet.Write(Packets.PacketTag.PublicKey, [4, .. Forge.Time(Forge.KeyTime), 1, .. modulus, .. exponent]), .. Forge.UserId("open")];
        OpenPgpKey key = Assert.Single(await new Keystore().ReadKeysAsync(new MemoryStream(ring)));
        Assert.Contains("unusual exponent", key.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enormous_numbers_cost_no_time()
    {
        // Numbers as large as the format allows, in keys that anybody may serve for discovery.
        byte[] huge = [0xFF, 0xFF, .. Enumerable.Repeat((byte)0xFF, 8192)];
        foreach (byte[] numbers in (byte[][])[[.. huge, .. huge], [.. huge, .. huge, .. huge, .. huge]])
        {
            byte algorithm = numbers.Length > 20_000 ? (byte)17 : (byte)1;
            byte[] body = [4, .. Forge.Time(Forge.KeyTime), algorithm, .. numbers];
            byte[] signature = [4, 0x13, algorithm, 8, 0, 6, .. Forge.Sub(Packets.SubpacketType.CreationTime, Forge.Time(Forge.KeyTime)), 0, 0, 0, 0, .. huge, .. algorithm == 17 ? huge : []];
            byte[] ring =
            [
                .. Packets.Packet.Write(Packets.PacketTag.PublicKey, body), .. Forge.UserId("huge"),
                .. Enumerable.Repeat(Packets.Packet.Write(Packets.PacketTag.Signature, signature), 20).SelectMany(p => p),
            ];
            var keystore = new Keystore(new KeystoreOptions { Policy = new OpenPgpPolicy { AllowDsa = true } });
            OpenPgpKey key = Assert.Single(await keystore.ReadKeysAsync(new MemoryStream(ring)));
            Assert.Contains("beyond", key.Problem, StringComparison.Ordinal);
        }
    }
}
