using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Stage1.Nspawn;

/// <summary>Pods of a data directory of their own: a metadata service serves all of one.</summary>
internal sealed class MetadataPods : IAsyncDisposable
{
    private static readonly string[] Applets = ["sh", "sleep", "wget", "grep"];

    private readonly string _scratch = Directory.CreateTempSubdirectory("appc-metadata-").FullName;
    private readonly List<Pod> _pods = [];
    private readonly IStage1 _stage1;

    public MetadataPods(NspawnFixture fixture)
    {
        _stage1 = fixture.Stage1;
        Runtime = NewRuntime();
    }

    public PodRuntime Runtime { get; }

    public PodRuntime NewRuntime() =>
        new PodRuntimeBuilder(Path.Combine(_scratch, "root")).UseStage1(_stage1).UseStage1(new Fly.FlyStage1()).UseTrustPolicy(TrustPolicy.Insecure).Build();

    /// <summary>An app that runs a script.</summary>
    /// <param name="script">The script.</param>
    /// <param name="change">Changes the manifest of its image.</param>
    public async Task<AppSpec> AppAsync(string script, Func<ImageManifest, ImageManifest>? change = null)
    {
        string rootfs = Path.Combine(_scratch, "rootfs");
        if (!Directory.Exists(rootfs))
        {
            Directory.CreateDirectory(Path.Combine(rootfs, "bin"));
            Directory.CreateDirectory(Path.Combine(rootfs, "tmp"));
            File.Copy("/bin/busybox", Path.Combine(rootfs, "bin/busybox"));
            foreach (string applet in Applets)
            {
                File.CreateSymbolicLink(Path.Combine(rootfs, "bin", applet), "busybox");
            }
        }

        ImageManifest manifest = new()
        {
            Name = AcIdentifier.Parse("example.com/curious"),
            App = new App { Exec = ["/bin/sh", "-c", script], User = "0", Group = "0" },
        };
        string archive = Path.Combine(_scratch, Guid.NewGuid().ToString("N") + ".aci");
        await AciWriter.BuildAsync(change?.Invoke(manifest) ?? manifest, rootfs, archive);
        return new AppSpec(await Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure }));
    }

    public async Task<Pod> RunAsync(PodSpec spec) => Remember(await Runtime.RunAsync(spec).WaitAsync(ServicePods.Limit));

    public async Task<Pod> RunPreparedAsync(string uuid) => Remember(await Runtime.RunPreparedAsync(uuid).WaitAsync(ServicePods.Limit));

    /// <summary>The manifest of an image, byte for byte as it was signed.</summary>
    public static async Task<string> ManifestInArchiveAsync(StoredImage image)
    {
        await using GZipStream archive = new(File.OpenRead(image.ArchivePath), CompressionMode.Decompress);
        await using TarReader tar = new(archive);
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            if (entry.Name == "manifest")
            {
                using StreamReader reader = new(entry.DataStream!, Encoding.UTF8);
                return await reader.ReadToEndAsync();
            }
        }

        throw new InvalidDataException("the archive has no manifest");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Pod pod in _pods)
        {
            if ((await pod.GetStatusAsync()).State == PodState.Running)
            {
                await pod.StopAsync(TimeSpan.Zero);
            }

            await pod.RemoveAsync();
        }

        await Runtime.DisposeAsync();
        Directory.Delete(_scratch, recursive: true);
    }

    private Pod Remember(Pod pod)
    {
        _pods.Add(pod);
        return pod;
    }
}
