using System.Text;
using Appc.Signing.Packets;
using Appc.Signing.Tests.Support;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>Files as bytes: armor, packet lengths, and every kind of damage.</summary>
public sealed class PacketTests
{
    private static readonly byte[] Image = "the bytes of an image"u8.ToArray();

    private readonly Forge _key = Forge.NewKey();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(47)]
    [InlineData(48)]
    [InlineData(49)]
    [InlineData(10_000)]
    public void Armor_gives_back_what_it_took(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        string text = Armor.Encode(Armor.Signature, data);
        Assert.All(text.Split('\n'), l => Assert.InRange(l.Length, 0, 64));
        foreach (string form in (string[])[text, text.Replace("\n", "\r\n", StringComparison.Ordinal), "words before\n" + text + "words after", text.Replace("\n", " \t\n", StringComparison.Ordinal), "\uFEFF" + text])
        {
            Assert.Equal(data, Armor.Open(Encoding.UTF8.GetBytes(form), Armor.Signature).ToArray());
        }

        Assert.Equal([.. data, .. data], Armor.Open(Encoding.UTF8.GetBytes(text + text), Armor.Signature).ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PGP SIGNATURE-----")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP MESSAGE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nAAA\n-----END PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nA!AA\n-----END PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=AAAA\n-----END PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=AAAA\nAAAA\n-----END PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP SIGNATURE-----\nno header\n\nAAAA\n-----END PGP SIGNATURE-----\n")]
    [InlineData("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")]
    [InlineData("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n")]
    [InlineData("just words")]
    public void Broken_armor_is_refused(string text) =>
        Assert.Throws<MalformedPacketException>(() => Armor.Open(Encoding.UTF8.GetBytes(text), Armor.Signature));

    [Theory]
    [InlineData("88 03 01 02 03", 3)] // old format, one byte of length
    [InlineData("89 00 03 01 02 03", 3)]
    [InlineData("8A 00 00 00 03 01 02 03", 3)]
    [InlineData("C2 03 01 02 03", 3)] // current format
    [InlineData("C2 FF 00 00 00 03 01 02 03", 3)]
    [InlineData("C2 00", 0)]
    public void Packet_lengths_of_every_form_are_read(string hex, int length)
    {
        Packet packet = Assert.Single(Packet.ReadAll(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));
        Assert.Equal(PacketTag.Signature, packet.Tag);
        Assert.Equal(length, packet.Body.Length);
    }

    [Theory]
    [InlineData("8B 01 02 03")] // indeterminate
    [InlineData("C2 E0 01")] // partial
    [InlineData("C2 FF FF FF FF FF 01")]
    [InlineData("8A FF FF FF FF 01")]
    [InlineData("C2 05 01 02 03")]
    [InlineData("C2")]
    [InlineData("C2 C0")]
    [InlineData("C2 01 00 00")]
    public void Packet_lengths_that_lead_astray_are_refused(string hex) =>
        Assert.Throws<MalformedPacketException>(() => Packet.ReadAll(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Theory]
    [InlineData(0)]
    [InlineData(191)]
    [InlineData(192)]
    [InlineData(8383)]
    [InlineData(8384)]
    [InlineData(70_000)]
    public void Written_packet_is_read_again(int length) =>
        Assert.Equal(length, Assert.Single(Packet.ReadAll(Packet.Write(PacketTag.UserId, new byte[length]))).Body.Length);

    [Fact]
    public async Task No_damage_to_a_signature_makes_it_good_for_other_bytes_nor_escapes_the_error_type()
    {
        byte[] signature = _key.Sign(Image);
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory.Path);
        await keystore.TrustAsync(_key.Certificate(), null);
        var verifier = new OpenPgpVerifier(keystore);

        // Hints without weight: whether a hint is critical, the beginning of the digest, sizes of numbers in bits.
        int prefix = signature.Length - Packet.ReadAll(signature)[0].Body.Length + 6 + 6 + 2 + 10;
        int second = prefix + 4 + ((((signature[prefix + 2] << 8) | signature[prefix + 3]) + 7) / 8);
        int[] hints = [prefix - 9, prefix, prefix + 1, prefix + 2, prefix + 3, second, second + 1];
        for (int i = 0; i < signature.Length; i++)
        {
            foreach (byte flip in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] damaged = [.. signature];
                damaged[i] ^= flip;
                Assert.True(await verifier.RefusalAsync(Image, damaged, "a") is not null || hints.Contains(i), $"byte {i} of {signature.Length}, {flip:x2}");
                Assert.NotNull(await verifier.RefusalAsync("other bytes"u8.ToArray(), damaged, "a"));
            }

            Assert.NotNull(await verifier.RefusalAsync(Image, signature[..i], "a"));
        }
    }

    [Fact]
    public async Task No_damage_to_a_key_gives_trust_to_another_key_nor_escapes_the_error_type()
    {
        byte[] ring = [.. _key.Certificate(), .. _key.Bind(Forge.NewKey(), null)];
        byte[] signature = _key.Sign(Image);
        byte[] strange = Forge.NewKey().Sign(Image);
        for (int i = 0; i < ring.Length; i++)
        {
            byte[] damaged = [.. ring];
            damaged[i] ^= (byte)(1 << (i % 8));
            using var directory = new TempDirectory();
            Keystore keystore = Verification.NewKeystore(directory.Path);
            try
            {
                await keystore.TrustAsync(damaged, null);
                await keystore.TrustAsync(ring[..i], null);
            }
            catch (TrustException e)
            {
                Assert.Equal(TrustFailure.Keystore, e.Failure);
            }

            var verifier = new OpenPgpVerifier(keystore);
            await verifier.RefusalAsync(Image, signature, "a");
            Assert.NotNull(await verifier.RefusalAsync(Image, strange, "a"));
        }
    }

    [Fact]
    public async Task Random_bytes_are_refused_in_one_line()
    {
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory.Path);
        await keystore.TrustAsync(_key.Certificate(), null);
        var random = new Random(4711);
        for (int i = 0; i < 500; i++)
        {
            byte[] noise = new byte[random.Next(1, 400)];
            random.NextBytes(noise);
            byte[] packet = Packet.Write((PacketTag)random.Next(0, 64), [(byte)random.Next(3, 7), .. noise]);
            Assert.NotNull(await new OpenPgpVerifier(keystore).RefusalAsync(Image, random.Next(2) == 0 ? noise : packet, "a"));
        }
    }

    [Fact]
    public void Text_of_strangers_is_cleaned()
    {
        Assert.Equal("a?b?c?d", CleanText.From("a\u001bb\u202ec\u0000d"u8));
        Assert.Equal(257, CleanText.From(new string('x', 10_000)).Length);
        Assert.DoesNotContain(CleanText.From([0xff, 0xfe, 0x41]), char.IsControl);
    }
}
