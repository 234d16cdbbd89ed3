using Appc.Signing.Checks;
using Appc.Signing.Packets;
using Appc.Signing.Store;
using Appc.Signing.Tests.Support;

namespace Appc.Signing.Tests;

/// <summary>Keys that are read again are known by their bytes; what they may do is found out each time.</summary>
public sealed class KnownKeysTests(GpgKeys keys) : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_key_file_that_is_as_it_was_gives_the_same_key_and_another_gives_another()
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(_directory["etc"]);
        var keystore = new Keystore(options);
        await keystore.TrustAsync(keys.Gpg.Export("ed25519"), "example.com");
        Certificate first = Load(keystore);
        Assert.Same(first, Load(keystore));

        string file = Directory.GetFiles(_directory["etc"], "*", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync(file, keys.Gpg.Export("ed25519"), TestContext.Current.CancellationToken);
        Certificate other = Load(keystore);
        Assert.NotSame(first, other);
        Assert.Equal(first.Fingerprint, other.Fingerprint);
    }

    [Fact]
    public void A_signature_of_a_key_is_verified_once_and_its_time_is_looked_at_each_time()
    {
        Certificate certificate = Certificate.ReadAll(keys.Gpg.Export("ed25519")).Single();
        Assert.Null(new CertificateChecker(certificate, new OpenPgpPolicy(), Now).Whole.Problem);
        SignaturePacket known = certificate.UserIds[0].Signatures[0];
        Assert.True(certificate.Verifies(known, _ => throw new InvalidOperationException("it was verified already")));

        // Signatures from the future, as those are before the key was made, do not count.
        Assert.Contains("no valid self-signature", new CertificateChecker(certificate, new OpenPgpPolicy(), Now.AddYears(-50)).Whole.Problem, StringComparison.Ordinal);
        Assert.Null(new CertificateChecker(certificate, new OpenPgpPolicy(), Now).Whole.Problem);
    }

    [Fact]
    public void What_does_not_verify_is_remembered_as_that()
    {
        Certificate certificate = Certificate.ReadAll(keys.Gpg.Export("ed25519")).Single();
        SignaturePacket signature = certificate.UserIds[0].Signatures[0];
        Assert.False(certificate.Verifies(signature, _ => false));
        Assert.Contains("no valid self-signature", new CertificateChecker(certificate, new OpenPgpPolicy(), Now).Whole.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_files_and_what_many_have_pushed_out_are_read_anew()
    {
        byte[] small = keys.Gpg.Export("ed25519");
        byte[] marker = Packet.Write(PacketTag.Marker, "PGP"u8.ToArray());
        byte[] large = [.. small, .. Packet.Write(PacketTag.Padding, new byte[64 * 1024])];
        var known = new KnownKeys();
        Assert.NotSame(known.Read(large), known.Read(large));

        IReadOnlyList<Certificate> first = known.Read(small);
        Assert.Same(first, known.Read([.. small]));
        for (int i = 1; i <= 256; i++)
        {
            Assert.Equal(first[0].Fingerprint, known.Read([.. small, .. Enumerable.Repeat(marker, i).SelectMany(m => m)])[0].Fingerprint);
        }

        Assert.NotSame(first, known.Read(small));
    }

    private static Certificate Load(Keystore keystore) =>
        keystore.Load(TestContext.Current.CancellationToken).Records.Single().All.Single().Certificate!;
}
