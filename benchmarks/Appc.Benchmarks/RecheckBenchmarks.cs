using System.Diagnostics;
using Appc.Images;
using Appc.Manifests;
using Appc.Signing;
using Appc.Trust;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks;

/// <summary>
/// What it costs to look at a stored image's trust again before it runs, by the kind of its key and the number of other
/// keys in the keystore. The size of the image plays no part.
/// </summary>
[MemoryDiagnoser]
public class RecheckBenchmarks
{
    private string _directory = "";
    private ImageStore _store = null!;
    private ImageId _image = null!;

    /// <summary>The key, as gpg names its algorithm.</summary>
    [Params("rsa4096", "ed25519")]
    public string Key { get; set; } = "";

    /// <summary>Keys in the keystore, each another one, for names of its own.</summary>
    [Params(1, 10)]
    public int Keys { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _directory = Directory.CreateTempSubdirectory("ab-").FullName;
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(Path.Combine(_directory, "trustedkeys"));
        var keystore = new Keystore(options);
        for (int i = 0; i < Keys; i++)
        {
            Gpg("--passphrase", "", "--quick-generate-key", $"k{i} <k{i}@example.com>", Key, "sign", "never");
            string publicKey = Path.Combine(_directory, $"key{i}");
            Gpg("--output", publicKey, "--export", $"k{i}@example.com");
            await keystore.AddFileAsync(publicKey, AcIdentifier.Parse($"example.com/app{i}"));
        }

        string archive = Path.Combine(_directory, "image.aci");
        string rootfs = Directory.CreateDirectory(Path.Combine(_directory, "rootfs")).FullName;
        await AciWriter.BuildAsync(new ImageManifest { Name = AcIdentifier.Parse("example.com/app0") }, rootfs, archive);
        await OpenPgpSigner.SignFileAsync(archive, new GpgSigner("k0@example.com", _directory));
        _store = new ImageStore(Path.Combine(_directory, "data"), new ImageStoreOptions { Verifier = new OpenPgpVerifier(keystore) });
        _image = (await _store.ImportAsync(archive)).Id;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        using (Process process = Process.Start("gpgconf", ["--homedir", _directory, "--kill", "all"]))
        {
            process.WaitForExit();
        }

        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark]
    public Task<TrustDecision> Recheck() => _store.CheckTrustAsync(_image);

    private void Gpg(params string[] arguments)
    {
        using Process process = Process.Start("gpg", (string[])["--homedir", _directory, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", .. arguments]);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"gpg {string.Join(' ', arguments)} ended with {process.ExitCode}");
        }
    }
}
