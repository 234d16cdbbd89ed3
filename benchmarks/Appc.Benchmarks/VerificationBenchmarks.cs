using System.Diagnostics;
using Appc.Manifests;
using Appc.Signing;
using Appc.Trust;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks;

/// <summary>
/// Verifying the signature of a large image, beside gpg on the same files. Run with
/// <c>dotnet run -c Release --project benchmarks/Appc.Benchmarks -- --filter '*Verification*'</c>.
/// </summary>
[MemoryDiagnoser]
[SimpleJob(launchCount: 1, warmupCount: 2, iterationCount: 10, invocationCount: 1)]
public class VerificationBenchmarks
{
    private string _directory = "";
    private string _image = "";
    private string _signature = "";
    private OpenPgpVerifier _verifier = null!;
    private byte[] _buffer = [];

    /// <summary>The key, as gpg names its algorithm.</summary>
    [Params("rsa4096", "ed25519")]
    public string Key { get; set; } = "";

    /// <summary>The hash of the signature.</summary>
    [Params("SHA256", "SHA512")]
    public string Hash { get; set; } = "";

    /// <summary>Size of the image in MB.</summary>
    [Params(200)]
    public int Megabytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _directory = Directory.CreateTempSubdirectory("ab-").FullName;
        _image = Path.Combine(_directory, "image");
        _signature = _image + ".asc";
        _buffer = new byte[1 << 17];
        byte[] chunk = new byte[1 << 20];
        new Random(1).NextBytes(chunk);
        using (FileStream image = File.Create(_image))
        {
            for (int i = 0; i < Megabytes; i++)
            {
                image.Write(chunk);
            }
        }

        string publicKey = Path.Combine(_directory, "key");
        Gpg("--passphrase", "", "--quick-generate-key", "bench <bench@example.com>", Key, "sign", "never");
        Gpg("--output", publicKey, "--export");
        Gpg("--armor", "--digest-algo", Hash, "--output", _signature, "--detach-sign", _image);

        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(Path.Combine(_directory, "trustedkeys"));
        var keystore = new Keystore(options);
        keystore.AddFileAsync(publicKey, AcIdentifier.Parse("example.com")).GetAwaiter().GetResult();
        _verifier = new OpenPgpVerifier(keystore);
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

    [Benchmark(Baseline = true, Description = "gpg --verify")]
    public void GpgVerify() => Gpg("--verify", _signature, _image);

    [Benchmark(Description = "OpenPgpVerifier")]
    public async Task<SignatureVerdict> Verify()
    {
        await using var signature = new FileStream(_signature, FileMode.Open, FileAccess.Read);
        using ISignatureCheck check = await _verifier.BeginAsync(signature, AcIdentifier.Parse("example.com/app"));
        using var image = new FileStream(_image, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        int read;
        while ((read = image.Read(_buffer)) > 0)
        {
            check.Append(_buffer.AsMemory(0, read));
        }

        return check.Complete();
    }

    private void Gpg(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("gpg", (string[])["--homedir", _directory, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", .. arguments])
        {
            RedirectStandardError = true,
        })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"gpg {string.Join(' ', arguments)}: {errors}");
        }
    }
}
