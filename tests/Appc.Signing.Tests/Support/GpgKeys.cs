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

    private readonly Lazy<Gpg> _gpg = new(Generate);

    internal Gpg Gpg => _gpg.Value;

    public void Dispose()
    {
        if (_gpg.IsValueCreated)
        {
            _gpg.Value.Dispose();
        }
    }

    private static Gpg Generate()
    {
        var gpg = new Gpg();
        foreach (string algorithm in (string[])[.. Algorithms, "dsa2048", "rsa1024"])
        {
            gpg.Generate(algorithm, algorithm, at: Past);
        }

        gpg.Generate("other", "ed25519", at: Past);
        gpg.Generate("expired", "ed25519", expires: "1y", at: Past);
        gpg.Generate("locked", "ed25519", passphrase: Passphrase);
        gpg.Generate("certify", "ed25519", "cert", at: Past);
        gpg.AddSubkey(gpg.Generate("subkey", "rsa2048", "cert,sign", at: Past), "ed25519", at: Past);
        gpg.AddSubkey(gpg.Generate("subkey2", "ed25519", "cert,sign", at: Past), "rsa2048", at: Past);
        gpg.AddSubkey(gpg.Generate("encrypts", "ed25519", "cert", at: Past), "cv25519", "encr", at: Past);
        gpg.AddSubkey(gpg.Generate("oldsubkey", "ed25519", "cert", at: Past), "ed25519", expires: "1y", at: Past);
        return gpg;
    }
}
