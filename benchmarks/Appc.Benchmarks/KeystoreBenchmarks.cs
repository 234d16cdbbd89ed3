using Appc.Manifests;
using Appc.Signing;
using Appc.Trust;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks;

/// <summary>What reading the keystore anew for each image costs, by the number of keys in it.</summary>
[MemoryDiagnoser]
public class KeystoreBenchmarks
{
    private string _directory = "";
    private OpenPgpVerifier _verifier = null!;
    private byte[] _signature = [];

    /// <summary>Keys in the keystore: copies of one key for different names.</summary>
    [Params(1, 10, 100)]
    public int Keys { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _directory = Directory.CreateTempSubdirectory("ab-").FullName;
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(Path.Combine(_directory, "trustedkeys"));
        var keystore = new Keystore(options);
        string hostile = Path.Combine(FindData(), "hostile", "signatures");
        for (int i = 0; i < Keys; i++)
        {
            await keystore.AddFileAsync(Path.Combine(hostile, "keys", "a.asc"), AcIdentifier.Parse($"example.com/app{i}"));
        }

        _signature = await File.ReadAllBytesAsync(Path.Combine(hostile, "001-good-rsa2048.aci.asc"));
        _verifier = new OpenPgpVerifier(keystore);
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_directory, recursive: true);

    [Benchmark]
    public async Task Begin()
    {
        using ISignatureCheck check = await _verifier.BeginAsync(new MemoryStream(_signature), AcIdentifier.Parse("example.com/app0"));
    }

    private static string FindData()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string candidate = Path.Combine(directory.FullName, "tests", "data");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("tests/data");
    }
}
