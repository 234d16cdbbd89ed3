using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Trust;

namespace Appc.Stage1.Nspawn;

/// <summary>Pods of a small service, through the whole runtime.</summary>
internal sealed class ServicePods : IAsyncDisposable
{
    private static readonly string[] Applets = ["sh", "touch", "sleep", "ip", "true"];

    private readonly string _scratch = Directory.CreateTempSubdirectory("appc-service-").FullName;
    private readonly List<Pod> _pods = [];

    public ServicePods(NspawnFixture fixture)
    {
        Stage1 = fixture.Stage1;
        Runtime = NewRuntime(fixture.Root);
        Root = fixture.Root;
    }

    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    public string Root { get; }

    public IStage1 Stage1 { get; }

    public PodRuntime Runtime { get; }

    public string Scratch => _scratch;

    public PodRuntime NewRuntime(string? root = null) =>
        new PodRuntimeBuilder(root ?? Root).UseStage1(Stage1).UseStage1(new Fly.FlyStage1()).UseTrustPolicy(TrustPolicy.Insecure).Build();

    /// <summary>The image of the service in one of its modes.</summary>
    /// <param name="mode">What it does.</param>
    /// <param name="change">Changes the manifest.</param>
    public async Task<AppSpec> AppAsync(string mode, Func<ImageManifest, ImageManifest>? change = null)
    {
        string rootfs = Path.Combine(_scratch, "rootfs");
        if (!Directory.Exists(rootfs))
        {
            foreach (string name in (string[])["bin", "tmp", "proc", "sys", "dev", "run"])
            {
                Directory.CreateDirectory(Path.Combine(rootfs, name));
            }

            File.Copy("/bin/busybox", Path.Combine(rootfs, "bin/busybox"));
            foreach (string applet in Applets)
            {
                File.CreateSymbolicLink(Path.Combine(rootfs, "bin", applet), "busybox");
            }

            File.Copy(CProgram.Service(), Path.Combine(rootfs, "bin/service"));
        }

        ImageManifest manifest = new()
        {
            Name = AcIdentifier.Parse("example.com/service"),
            App = new App { Exec = ["/bin/service", mode], User = "0", Group = "0" },
        };
        string archive = Path.Combine(_scratch, Guid.NewGuid().ToString("N") + ".aci");
        await AciWriter.BuildAsync(change?.Invoke(manifest) ?? manifest, rootfs, archive);
        return new AppSpec(await Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure }));
    }

    public async Task<Pod> RunAsync(PodSpec spec)
    {
        Pod pod = await Runtime.RunAsync(spec).WaitAsync(Limit);
        _pods.Add(pod);
        return pod;
    }

    public static Task GoAsync(Pod pod, string? app = null) => ExecAsync(pod, app, "/bin/touch", "/tmp/go");

    public static async Task<string> ExecAsync(Pod pod, string? app, params string[] command)
    {
        await using PodExec exec = await pod.ExecAsync(app, command);
        using StreamReader reader = new(exec.StandardOutput);
        string output = await reader.ReadToEndAsync();
        ExecResult result = await exec.WaitAsync();
        Assert.Equal(0, result.ExitCode);
        return output;
    }

    public static async Task WaitForOutputAsync(Pod pod, string word, string? app = null)
    {
        using CancellationTokenSource limit = new(Limit);
        while (!(await pod.ReadOutputAsync(app)).Contains(word, StringComparison.Ordinal))
        {
            await Task.Delay(5, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Pod pod in _pods)
        {
            if ((await pod.GetStatusAsync()).State == PodState.Running)
            {
                await pod.StopAsync(TimeSpan.Zero);
            }
        }

        foreach (Pod pod in _pods)
        {
            await pod.RemoveAsync();
        }

        await Runtime.DisposeAsync();
        Directory.Delete(_scratch, recursive: true);
    }
}
