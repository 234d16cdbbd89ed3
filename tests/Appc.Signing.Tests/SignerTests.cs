using System.Text;
using Appc.Signing.Packets;
using Appc.Signing.Tests.Support;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>Signatures made here, judged by gpg and by our verifier.</summary>
public sealed class SignerTests(GpgKeys keys) : IDisposable
{
    private static readonly byte[] Image = Encoding.ASCII.GetBytes("the bytes of an image, as far as a signer cares");

    private readonly Gpg _gpg = keys.Gpg;
    private readonly TempDirectory _directory = new();

    public static TheoryData<string> Algorithms() => [.. GpgKeys.Algorithms];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Signature_by_a_key_file_is_good_for_gpg_and_for_us(string algorithm)
    {
        string image = _directory.Write("image.aci", Image);
        string key = _directory.Write("key.asc", _gpg.ExportSecret(algorithm));

        string output = await OpenPgpSigner.SignFileAsync(image, key);

        Assert.Equal(image + ".asc", output);
        byte[] signature = await File.ReadAllBytesAsync(output);
        Assert.StartsWith("-----BEGIN PGP SIGNATURE-----", Encoding.ASCII.GetString(signature), StringComparison.Ordinal);
        Assert.True(Gpg.Verifies(_gpg.Export(algorithm), signature, Image));
        SignatureVerdict verdict = await VerifyAsync(algorithm, signature);
        Assert.EndsWith("/SHA512", verdict.Signers[0].Algorithm, StringComparison.Ordinal);
        Assert.Equal($"{algorithm} <{algorithm}@example.com>", verdict.Signers[0].UserId);
    }

    [Fact]
    public async Task Signature_of_edge_values_is_good_for_gpg()
    {
        // One in 256 values of an Ed25519 signature begins with a zero byte, which the packet leaves out.
        KeyFileSigner signer = await KeyFileSigner.LoadAsync(_directory.Write("key.asc", _gpg.ExportSecret("ed25519")));
        byte[] ring = _gpg.Export("ed25519");
        int shortest = int.MaxValue;
        byte[] best = [];
        byte[] data = [];
        for (int i = 0; i < 2000 && shortest >= 62; i++)
        {
            byte[] candidate = BitConverter.GetBytes(i);
            byte[] signature = Encoding.ASCII.GetBytes(await signer.SignAsync(new MemoryStream(candidate)));
            int length = Packet.ReadAll(Armor.Open(signature, Armor.Signature))[0].Body.Length;
            int values = length - 6 - 29 - 2 - 10 - 2 - 4;
            if (values < shortest)
            {
                (shortest, best, data) = (values, signature, candidate);
            }
        }

        Assert.True(shortest < 64);
        Assert.True(Gpg.Verifies(ring, best, data));
        Keystore keystore = Verification.NewKeystore(_directory["trusted"]);
        await keystore.TrustAsync(ring, null);
        Assert.Null(await new OpenPgpVerifier(keystore).RefusalAsync(data, best, "example.com/app"));
    }

    [Fact]
    public async Task Dsa_key_signs_for_those_who_allow_it()
    {
        string image = _directory.Write("image.aci", Image);
        string output = await OpenPgpSigner.SignFileAsync(image, _directory.Write("key", _gpg.ExportSecret("dsa2048")));
        byte[] signature = await File.ReadAllBytesAsync(output);

        Assert.True(Gpg.Verifies(_gpg.Export("dsa2048"), signature, Image));
        Keystore keystore = Verification.NewKeystore(_directory["trusted"]);
        await keystore.TrustAsync(_gpg.Export("dsa2048"), null);
        TrustException? refusal = await new OpenPgpVerifier(keystore).RefusalAsync(Image, signature, "example.com/app");
        Assert.Equal(TrustFailure.KeyNotUsable, refusal?.Failure);
        Assert.Null(await new OpenPgpVerifier(keystore, new OpenPgpPolicy { AllowDsa = true }).RefusalAsync(Image, signature, "example.com/app"));
    }

    [Fact]
    public async Task Passphrase_unlocks_a_key_given_as_text_or_as_stream()
    {
        string key = _directory.Write("key.asc", _gpg.ExportSecret("locked", GpgKeys.Passphrase));
        string image = _directory.Write("image.aci", Image);

        string output = await OpenPgpSigner.SignFileAsync(image, key, GpgKeys.Passphrase, _directory["text.asc"]);
        Assert.NotEmpty((await VerifyAsync("locked", await File.ReadAllBytesAsync(output))).Signers);

        using var passphrase = new MemoryStream(Encoding.UTF8.GetBytes(GpgKeys.Passphrase + "\nsecond line\n"));
        KeyFileSigner signer = await KeyFileSigner.LoadAsync(key, passphrase);
        output = await OpenPgpSigner.SignFileAsync(image, signer, _directory["stream.asc"]);
        Assert.NotEmpty((await VerifyAsync("locked", await File.ReadAllBytesAsync(output))).Signers);
    }

    [Theory]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task Locked_key_without_its_passphrase_is_refused(string passphrase)
    {
        string key = _directory.Write("key.asc", _gpg.ExportSecret("locked", GpgKeys.Passphrase));
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => KeyFileSigner.LoadAsync(key, passphrase));
        Assert.Equal(TrustFailure.KeyNotUsable, e.Failure);
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
        Assert.Contains("passphrase", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_subkey_is_preferred_and_works_with_the_primary_key_offline()
    {
        string[] fingerprints = _gpg.Fingerprints("subkey");
        foreach (string option in (string[])["--export-secret-keys", "--export-secret-subkeys"])
        {
            string key = _directory.Write("key.asc", _gpg.ExportSecret("subkey", "", option));
            KeyFileSigner signer = await KeyFileSigner.LoadAsync(key);
            Assert.Equal(fingerprints[1], signer.Fingerprint);
            Assert.Equal(fingerprints[0], signer.PrimaryFingerprint);

            byte[] signature = Encoding.ASCII.GetBytes(await signer.SignAsync(new MemoryStream(Image)));
            Assert.True(Gpg.Verifies(_gpg.Export("subkey"), signature, Image));
            SignatureSigner by = (await VerifyAsync("subkey", signature)).Signers[0];
            Assert.Equal(fingerprints[1], by.Fingerprint);
            Assert.Equal(fingerprints[0], by.PrimaryFingerprint);
        }
    }

    [Theory]
    [InlineData("expired", "expired")]
    [InlineData("certify", "not meant for signing")]
    [InlineData("oldsubkey", "not meant for signing")]
    [InlineData("rsa1024", "too weak")]
    public async Task Key_that_verifiers_would_refuse_does_not_sign(string name, string why)
    {
        string key = _directory.Write("key.asc", _gpg.ExportSecret(name));
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => KeyFileSigner.LoadAsync(key));
        Assert.Equal(TrustFailure.KeyNotUsable, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Public_key_several_keys_and_garbage_are_refused_as_key_files()
    {
        byte[] publicKey = _gpg.Export("ed25519");
        byte[] two = [.. _gpg.ExportSecret("ed25519"), .. _gpg.ExportSecret("rsa2048")];
        foreach (byte[] content in (byte[][])[publicKey, two, [], "garbage"u8.ToArray(), _gpg.ExportSecret("ed25519")[..200]])
        {
            string key = _directory.Write("key", content);
            TrustException e = await Assert.ThrowsAsync<TrustException>(() => KeyFileSigner.LoadAsync(key));
            Assert.Equal(TrustFailure.Keystore, e.Failure);
            Assert.DoesNotContain(e.Message, char.IsControl);
        }
    }

    [Fact]
    public async Task Damaged_key_file_never_signs_nor_escapes_the_error_type()
    {
        byte[] sound = Armor.Open(_gpg.ExportSecret("nistp256"), Armor.PrivateKey).ToArray();
        for (int i = 0; i < sound.Length; i += 3)
        {
            byte[] damaged = [.. sound];
            damaged[i] ^= 0x41;
            string path = _directory.Write("damaged", damaged);
            try
            {
                string signature = await (await KeyFileSigner.LoadAsync(path)).SignAsync(new MemoryStream(Image));
                Assert.True(Gpg.Verifies(_gpg.Export("nistp256"), Encoding.ASCII.GetBytes(signature), Image), $"byte {i} damaged");
            }
            catch (TrustException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
    }

    [Fact]
    public async Task Gpg_signs_as_an_external_signer()
    {
        string image = _directory.Write("image.aci", Image);
        string output = await OpenPgpSigner.SignFileAsync(image, new GpgSigner("rsa2048", _gpg.Home));
        Assert.Equal("RSA 2048/SHA512", (await VerifyAsync("rsa2048", await File.ReadAllBytesAsync(output))).Signers[0].Algorithm);
    }

    [Fact]
    public async Task External_signer_that_fails_or_lies_leaves_no_signature()
    {
        string image = _directory.Write("image.aci", Image);
        TrustException unknown = await Assert.ThrowsAsync<TrustException>(() => OpenPgpSigner.SignFileAsync(image, new GpgSigner("nobody", _gpg.Home)));
        Assert.Contains("nobody", unknown.Message, StringComparison.Ordinal);
        TrustException missing = await Assert.ThrowsAsync<TrustException>(() => OpenPgpSigner.SignFileAsync(image, new GpgSigner("a", program: "/no/such/gpg")));
        Assert.NotNull(missing.Hint);
        TrustException lie = await Assert.ThrowsAsync<TrustException>(() => OpenPgpSigner.SignFileAsync(image, new Liar()));
        Assert.Equal(TrustFailure.MalformedSignature, lie.Failure);
        Assert.Equal([image], Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public async Task Signature_replaces_an_older_one_as_a_whole_and_is_readable_by_all()
    {
        string image = _directory.Write("image.aci", Image);
        _directory.Write("image.aci.asc", new byte[100_000]);
        string output = await OpenPgpSigner.SignFileAsync(image, _directory.Write("key", _gpg.ExportSecret("ed25519")));

        Assert.NotEmpty((await VerifyAsync("ed25519", await File.ReadAllBytesAsync(output))).Signers);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(output));
        Assert.Equal(3, Directory.GetFiles(_directory.Path).Length);
        await Assert.ThrowsAsync<ArgumentException>(() => OpenPgpSigner.SignFileAsync(image, new Liar(), image));
    }

    public void Dispose() => _directory.Dispose();

    private async Task<SignatureVerdict> VerifyAsync(string key, byte[] signature)
    {
        using var trusted = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(trusted.Path);
        await keystore.TrustAsync(_gpg.Export(key), "example.com");
        return await new OpenPgpVerifier(keystore).VerifyAsync(Image, signature, "example.com/app");
    }

    private sealed class Liar : IDetachedSigner
    {
        public Task<string> SignAsync(Stream content, CancellationToken cancellationToken = default) => Task.FromResult("signed, honestly");
    }
}
