using System.Globalization;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Trust;
using BenchmarkDotNet.Attributes;

namespace Appc.Benchmarks.Micro;

/// <summary>Preparing a pod on a stored image: small and large must cost the same. Needs root.</summary>
public class PrepareBenchmarks
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), "appc-bench-" + Guid.NewGuid().ToString("N"));
    private PodRuntime _runtime = null!;
    private StoredImage _image = null!;

    /// <summary>How many files the image has.</summary>
    [Params(5, 20_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        string rootfs = Path.Combine(_root, "rootfs");
        for (int i = 0; i < Files; i++)
        {
            string directory = Directory.CreateDirectory(Path.Combine(rootfs, (i / 100).ToString(CultureInfo.InvariantCulture))).FullName;
            await File.WriteAllTextAsync(Path.Combine(directory, i.ToString(CultureInfo.InvariantCulture)), "content").ConfigureAwait(false);
        }

        ImageManifest manifest = ImageManifest.Parse(
            """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","app":{"exec":["/bin/app"],"user":"0","group":"0"}}""");
        string archive = Path.Combine(_root, "app.aci");
        await AciWriter.BuildAsync(manifest, rootfs, archive).ConfigureAwait(false);
        _runtime = new PodRuntimeBuilder(Path.Combine(_root, "data")).UseFly().Build();
        _image = await _runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure }).ConfigureAwait(false);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _runtime.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>Prepared pods stay until the next iteration, as they would for whoever prepares many.</summary>
    [IterationCleanup]
    public void Collect() => _runtime.CollectGarbageAsync(new GarbageOptions { ExpirePrepared = TimeSpan.Zero, GracePeriod = TimeSpan.Zero }).GetAwaiter().GetResult();

    [Benchmark]
    public async Task<string> Prepare()
    {
        Pod pod = await _runtime.PrepareAsync(new PodSpec { Apps = { new AppSpec(_image) }, Trust = TrustPolicy.Insecure }).ConfigureAwait(false);
        await using (pod.ConfigureAwait(false))
        {
            return pod.Uuid;
        }
    }
}
