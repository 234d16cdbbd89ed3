using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Appc.Images;
using Appc.Manifests;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks.Micro;

/// <summary>Listing and finding among a thousand stored images, each with a manifest of about 2 KB.</summary>
[MemoryDiagnoser]
public class StoreListBenchmarks
{
    private const int Images = 1000;

    private readonly string _root = Path.Combine(Path.GetTempPath(), "appc-bench-" + Guid.NewGuid().ToString("N"));
    private readonly AcIdentifier _name = AcIdentifier.Parse("example.com/reduce-worker-500");
    private ImageStore _store = null!;

    /// <summary>Lays the images out as docs/images.md says; their archives are not read by a list.</summary>
    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < Images; i++)
        {
            string number = i.ToString(CultureInfo.InvariantCulture);
            string directory = Directory.CreateDirectory(
                Path.Combine(_root, "images", "sha512-" + Convert.ToHexStringLower(SHA512.HashData(Encoding.ASCII.GetBytes(number))))).FullName;
            Directory.CreateDirectory(Path.Combine(directory, "rootfs"));
            File.WriteAllText(Path.Combine(directory, "manifest"), ManifestBenchmarks.Document().Replace("reduce-worker\"", $"reduce-worker-{number}\"", StringComparison.Ordinal));
            File.WriteAllBytes(Path.Combine(directory, "image.aci"), new byte[1024]);
            File.WriteAllText(Path.Combine(directory, "provenance.json"), """
                {
                  "source": "https://example.com/images/reduce-worker-1.0.0-linux-amd64.aci",
                  "imported": "2024-05-06T07:08:09.1234567+00:00", "latest": false, "insecure": false,
                  "signer": {
                    "fingerprint": "0123456789abcdef0123456789abcdef01234567", "primaryFingerprint": "0123456789abcdef0123456789abcdef01234567",
                    "userId": "publisher <publisher@example.com>", "created": "2024-05-06T07:08:09+00:00", "algorithm": "Ed25519/SHA512",
                    "scopes": ["example.com"], "maskedScopes": []
                  }
                }
                """);
        }

        _store = new ImageStore(_root);
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_root, recursive: true);

    [Benchmark]
    public int List() => Require(_store.ListAsync().GetAwaiter().GetResult().Count);

    [Benchmark]
    public StoredImage? FindByName() => _store.FindAsync(_name).GetAwaiter().GetResult();

    private static int Require(int count) => count == Images ? count : throw new InvalidOperationException($"{count} images were listed");
}
