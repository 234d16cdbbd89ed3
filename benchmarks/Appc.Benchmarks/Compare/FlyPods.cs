using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Trust;

namespace Appc.Benchmarks.Compare;

/// <summary>Fly pods of an image that is a busybox.</summary>
internal static class FlyPods
{
    public static PodRuntime New(string root) => new PodRuntimeBuilder(Path.Combine(root, "data")).UseFly().Build();

    public static async Task<StoredImage> ImportAsync(PodRuntime runtime, string root, params string[] command)
    {
        string rootfs = Path.Combine(root, "rootfs");
        foreach (string name in (string[])["bin", "dev", "proc", "sys", "run", "tmp", "etc", "usr", "var"])
        {
            Directory.CreateDirectory(Path.Combine(rootfs, name));
        }

        File.Copy("/usr/bin/busybox", Path.Combine(rootfs, "bin/busybox"));
        var manifest = new ImageManifest
        {
            Name = AcIdentifier.Parse("example.com/busybox"),
            App = new App { Exec = ["/bin/busybox", .. command], User = "0", Group = "0" },
        };
        string archive = Path.Combine(root, "busybox.aci");
        await AciWriter.BuildAsync(manifest, rootfs, archive);
        return await runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
    }
}
