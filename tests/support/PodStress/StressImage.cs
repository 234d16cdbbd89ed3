using System.Runtime.InteropServices;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;
using Appc.Trust;

namespace Appc.PodStress;

/// <summary>The image that all these pods run, a shell, and the apps that are made of it.</summary>
internal static class StressImage
{
    /// <summary>Set in the environment of every app to the data directory, so that a process can be told from all others.</summary>
    public const string Mark = "APPC_STRESS";

    /// <summary>The exit code of an app that was asked to stop and did.</summary>
    public const int Stopped = 5;

    // The shell waits for a child that needs no time of the processor, and for the signal.
    private static readonly string WaitScript = $"trap 'exit {Stopped}' TERM; sleep 100000 & wait";

    /// <summary>Builds the image, imports it, and writes its id.</summary>
    public static async Task<int> ImportAsync(string root)
    {
        using PodRuntime runtime = OpenRuntime(root);
        Console.WriteLine((await ImportAsync(runtime)).Id);
        return 0;
    }

    public static PodRuntime OpenRuntime(string root) => new PodRuntimeBuilder(root).UseTrustPolicy(TrustPolicy.Insecure).UseFly().UseNspawn().Build();

    public static async Task<StoredImage> ImportAsync(PodRuntime runtime)
    {
        string scratch = Directory.CreateTempSubdirectory("appc-stress-image-").FullName;
        try
        {
            string rootfs = Directory.CreateDirectory(Path.Combine(scratch, "rootfs")).FullName;
            string bin = Directory.CreateDirectory(Path.Combine(rootfs, "bin")).FullName;
            File.Copy("/bin/busybox", Path.Combine(bin, "busybox"));
            File.CreateSymbolicLink(Path.Combine(bin, "sh"), "busybox");
            File.CreateSymbolicLink(Path.Combine(bin, "sleep"), "busybox");
            string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "amd64";
            ImageManifest manifest = ImageManifest.Parse($$"""
                {
                  "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/stress",
                  "labels": [{"name":"os","value":"linux"},{"name":"arch","value":"{{architecture}}"}],
                  "app": { "exec": ["/bin/sh"], "user": "0", "group": "0" }
                }
                """);
            string archive = Path.Combine(scratch, "stress.aci");
            await AciWriter.BuildAsync(manifest, rootfs, archive);
            return await runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>An app that ends at once with a code; without one, it runs until it is stopped.</summary>
    public static AppSpec App(StoredImage image, string root, int? exitCode)
    {
        AppSpec app = new(image) { Name = "main", Exec = "/bin/sh" };
        app.Arguments.Add("-c");
        app.Arguments.Add(exitCode is null ? WaitScript : $"exit {exitCode}");
        app.Environment[Mark] = root;
        return app;
    }
}
