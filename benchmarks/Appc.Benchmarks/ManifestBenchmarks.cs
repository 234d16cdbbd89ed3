using System.Text.Json;
using Appc.Manifests;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks;

/// <summary>
/// Reading and writing an image manifest, against System.Text.Json with source-generated code into classes that hold
/// the same members as plain text and check nothing.
/// </summary>
[MemoryDiagnoser]
public class ManifestBenchmarks
{
    private byte[] _document = [];
    private ImageManifest _manifest = new();
    private ImagePoco _poco = new();

    /// <summary>Rough size of the document in kilobytes.</summary>
    [Params(2, 1024)]
    public int Kilobytes { get; set; }

    [GlobalSetup]
    public void MakeDocument()
    {
        int entries = Kilobytes == 2 ? 3 : 2600;
        _manifest = new ImageManifest
        {
            Name = AcIdentifier.Parse("example.com/services/reduce-worker"),
            Labels = [new Label("version", "1.0.0"), new Label("os", "linux"), new Label("arch", "amd64")],
            App = new App
            {
                Exec = ["/usr/bin/reduce-worker", "--quiet"],
                User = "100",
                Group = "300",
                SupplementaryGids = [400, 500],
                WorkingDirectory = "/opt/work",
                EventHandlers = [new EventHandlerSpec("pre-start", ["/usr/bin/data-downloader"])],
                Environment = [.. Enumerable.Range(0, entries).Select(index => new EnvironmentVariable($"REDUCE_WORKER_{index}", "a value of the usual length"))],
                MountPoints = [.. Enumerable.Range(0, entries).Select(index => new MountPoint(AcName.Parse($"work-{index}"), $"/var/lib/work/{index}", true))],
                Ports = [new Port { Name = AcName.Parse("health"), Number = 4000 }],
                Isolators = [new CpuIsolator(Quantity.Parse("500m"), Quantity.Parse("250m")), new MemoryIsolator(Quantity.Parse("2G")), new CapabilitiesRetainSetIsolator("CAP_NET_BIND_SERVICE")],
            },
            Dependencies = [new Dependency { ImageName = AcIdentifier.Parse("example.com/reduce-worker-base"), ImageId = ImageId.OfBytes([]), Labels = [new Label("os", "linux")], Size = 22017258 }],
            PathWhitelist = [.. Enumerable.Range(0, entries).Select(index => $"/opt/libs/reduce-toolkit/modules/part-{index}.so")],
            Annotations = [.. Enumerable.Range(0, entries).Select(index => new Annotation($"example.com/annotations/number-{index}", "Carly Container <carly@example.com>, Nat Network <nat@example.com>")), new Annotation("created", "2014-10-27T19:32:27.67021798Z")],
        };
        // People's manifests are laid out over lines.
        _document = System.Text.Encoding.UTF8.GetBytes(_manifest.ToJson(indented: true));
        _poco = JsonSerializer.Deserialize(_document, PocoContext.Default.ImagePoco)!;
    }

    [Benchmark]
    public ImageManifest Read() => ImageManifest.Parse(_document);

    [Benchmark]
    public object ReadIntoPoco() => JsonSerializer.Deserialize(_document, PocoContext.Default.ImagePoco)!;

    [Benchmark]
    public byte[] Write() => _manifest.ToJsonBytes();

    [Benchmark]
    public byte[] WritePoco() => JsonSerializer.SerializeToUtf8Bytes(_poco, PocoContext.Default.ImagePoco);
}
