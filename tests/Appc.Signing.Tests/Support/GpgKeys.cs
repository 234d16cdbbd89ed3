using Appc.Signing.Tests.Support;

[assembly: AssemblyFixture(typeof(GpgKeys))]

namespace Appc.Signing.Tests.Support;

/// <summary>Keys of every kind, made once by gpg for all tests.</summary>
public sealed class GpgKeys : IDisposable
{
    /// <summary>The moment that keys and signatures of the past are made at.</summary>
    public const string Past = "20200101T000000";

    public const string Passphrase = "pass phrase ä";

    internal static readonly string[] Algorithms = ["rsa2048", "rsa4096", "ed25519", "nistp256", "nistp384", "nistp521"];

    private readonly Gpg _gpg = new();

    public GpgKeys()
    {
        foreach (string algorithm in (string[])[.. Algorithms, "dsa2048", "rsa1024"])
        {
            _gpg.Generate(algorithm, algorithm, at: Past);
        }

        _gpg.Generate("other", "ed25519", at: Past);
        _gpg.Generate("expired", "ed25519", expires: "1y", at: Past);
        _gpg.Generate("locked", "ed25519", passphrase: Passphrase);
        _gpg.Generate("certify", "ed25519", "cert", at: Past);
        _gpg.AddSubkey(_gpg.Generate("subkey", "rsa2048", "cert,sign", at: Past), "ed25519", at: Past);
        _gpg.AddSubkey(_gpg.Generate("subkey2", "ed25519", "cert,sign", at: Past), "rsa2048", at: Past);
        _gpg.AddSubkey(_gpg.Generate("encrypts", "ed25519", "cert", at: Past), "cv25519", "encr", at: Past);
        _gpg.AddSubkey(_gpg.Generate("oldsubkey", "ed25519", "cert", at: Past), "ed25519", expires: "1y", at: Past);
    }

    internal Gpg Gpg => _gpg;

    public void Dispose() => _gpg.Dispose();
}
