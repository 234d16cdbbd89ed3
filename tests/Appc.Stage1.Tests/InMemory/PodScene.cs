using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Stage1.InMemory;

/// <summary>A data directory with an image, for pods that run nothing or are tiny.</summary>
internal sealed class PodScene : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-scene").FullName;
    private readonly List<PodRuntime> _runtimes = [];

    public string Root => Path.Combine(_directory, "root");

    public StoredImage Image { get; private set; } = null!;

    /// <summary>An image without ports, for a second app.</summary>
    public StoredImage Second { get; private set; } = null!;

    public static async Task<PodScene> CreateAsync()
    {
        var scene = new PodScene();
        PodRuntime runtime = scene.NewRuntime((_, _) => Task.FromResult(0));
        string rootfs = Directory.CreateDirectory(Path.Combine(scene._directory, "rootfs")).FullName;
        var manifest = new ImageManifest
        {
            Name = AcIdentifier.Parse("example.com/a"),
            App = new App
            {
                Exec = ["/a"],
                User = "0",
                Group = "0",
                Ports = [new Port { Name = AcName.Parse("http"), Number = 80 }, new Port { Name = AcName.Parse("https"), Number = 443 }, new Port { Name = AcName.Parse("quic"), Number = 443, Protocol = "udp" }],
            },
        };
        scene.Image = await ImportAsync(manifest);
        scene.Second = await ImportAsync(manifest with { Name = AcIdentifier.Parse("example.com/b"), App = manifest.App with { Ports = [] } });
        return scene;

        async Task<StoredImage> ImportAsync(ImageManifest image)
        {
            string archive = Path.Combine(scene._directory, "image.aci");
            await AciWriter.BuildAsync(image, rootfs, archive);
            StoredImage stored = await runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
            File.Delete(archive);
            return stored;
        }
    }

    public PodRuntime NewRuntime(Func<InMemoryApp, CancellationToken, Task<int>> behaviour)
    {
        PodRuntime runtime = new PodRuntimeBuilder(Root).UseInMemory(behaviour).Build();
        _runtimes.Add(runtime);
        return runtime;
    }

    public PodSpec Spec(string? app = null) => new(new AppSpec(Image) { Name = app }) { Trust = TrustPolicy.Insecure };

    public async ValueTask DisposeAsync()
    {
        foreach (PodRuntime runtime in _runtimes)
        {
            await runtime.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
