using System.Text;
using Appc.Manifests;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks.Micro;

/// <summary>Reading and writing an image manifest of about 2 KB.</summary>
[MemoryDiagnoser]
public class ManifestBenchmarks
{
    private readonly byte[] _json = Encoding.UTF8.GetBytes(Document());
    private readonly ImageManifest _manifest = ImageManifest.Parse(Document());

    [Benchmark]
    public ImageManifest Parse() => ImageManifest.Parse(_json);

    [Benchmark]
    public byte[] Write() => _manifest.ToJsonBytes();

    internal static string Document()
    {
        string environment = string.Join(',', Enumerable.Range(0, 20).Select(i => $$"""{"name":"VARIABLE_{{i}}","value":"value number {{i}}" }"""));
        return $$"""
            {
              "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/reduce-worker",
              "labels": [{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],
              "app": {
                "exec": ["/usr/bin/reduce-worker", "--quiet"], "user": "100", "group": "300",
                "workingDirectory": "/opt/work", "environment": [{{environment}}],
                "isolators": [{"name":"resource/memory","value":{"limit":"1G"} }],
                "mountPoints": [{"name":"work","path":"/var/lib/work"}],
                "ports": [{"name":"health","port":4000,"protocol":"tcp","socketActivated":true}]
              },
              "annotations": [{"name":"homepage","value":"https://example.com"}]
            }
            """;
    }
}
