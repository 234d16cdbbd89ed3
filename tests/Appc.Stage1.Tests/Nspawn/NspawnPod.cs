using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>A prepared pod in the shared data directory.</summary>
internal sealed class NspawnPod : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly NspawnFixture _fixture;
    private readonly LockFile _lock;
    private bool _started;
    private readonly List<(RuntimeApp Runtime, App App)> _apps = [];

    public NspawnPod(NspawnFixture fixture)
    {
        _fixture = fixture;
        Uuid = Guid.NewGuid().ToString();
        Directory = Path.Combine(fixture.Root, "pods/run", Uuid);
        foreach (string name in (string[])["logs", "status", "stage1"])
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, name));
        }

        System.IO.Directory.CreateDirectory(Path.Combine(fixture.Root, "pods/locks"));
        LockPath = Path.Combine(fixture.Root, "pods/locks", Uuid);
        _lock = LockFile.TryExclusive(LockPath, create: true)!;
        Layers = [fixture.Image];
    }

    public string Uuid { get; }

    public string Directory { get; }

    public string LockPath { get; }

    public IReadOnlyList<string> Layers { get; set; }

    public IReadOnlyList<Volume> Volumes { get; set; } = [];

    public IReadOnlyList<Isolator> Isolators { get; set; } = [];

    public IReadOnlyList<Annotation> Annotations { get; set; } = [];

    public Stage1Options Options { get; set; } = new();

    /// <summary>What runs the pod; the fixture's unless a test has one of its own.</summary>
    public NspawnStage1? Stage1 { get; init; }

    public Stage1ProcessId? Leader => PodPaths.ReadProcess(new PodPaths(Describe()).Leader);

    public string? CGroup => PodPaths.ReadText(new PodPaths(Describe()).CGroup);

    public IReadOnlyList<string> Limits => PodPaths.ReadText(new PodPaths(Describe()).Limits)?.Split('\n') ?? [];

    public string? Range => PodPaths.ReadText(new PodPaths(Describe()).Range);

    public static Isolator Isolator(string name, string json) => Manifests.Isolator.Create(AcIdentifier.Parse(name), json);

    /// <summary>Adds an app; the first is called main, the others app2, app3.</summary>
    public NspawnPod Add(App app, RuntimeApp? runtime = null)
    {
        string name = _apps.Count == 0 ? "main" : $"app{_apps.Count + 1}";
        _apps.Add(((runtime ?? new RuntimeApp()) with { Name = AcName.Parse(name), App = app }, app));
        return this;
    }

    public NspawnPod Shell(string script, Func<App, App>? change = null, RuntimeApp? runtime = null)
    {
        App app = new() { Exec = ["/bin/sh", "-c", script] };
        return Add(change is null ? app : change(app), runtime);
    }

    public Stage1Pod Describe() => new()
    {
        Uuid = Uuid,
        Directory = Directory,
        Root = _fixture.Root,
        Manifest = new PodManifest { Apps = [.. _apps.Select(a => a.Runtime)], Volumes = Volumes, Isolators = Isolators, Annotations = Annotations },
        Apps = [.. _apps.Select(a => new Stage1App { Name = a.Runtime.Name, App = a.App, Runtime = a.Runtime, Layers = Layers })],
        Options = Options,
        LockDescriptor = _started ? -1 : _lock.Descriptor,
    };

    public string Output(string app = "main") => File.ReadAllText(Path.Combine(Directory, "logs", app + ".out"));

    public string Error(string app = "main") => File.ReadAllText(Path.Combine(Directory, "logs", app + ".err"));

    public string Status(string app = "main") => File.ReadAllText(Path.Combine(Directory, "status", app)).TrimEnd();

    public async Task<Stage1Process> StartAsync()
    {
        Stage1Process process = await (Stage1 ?? _fixture.Stage1).StartAsync(Describe());

        // As the runtime does: from here on only the pod holds its lock.
        ReleaseLock();
        return process;
    }

    public void ReleaseLock()
    {
        _started = true;
        _lock.Dispose();
    }

    /// <summary>Runs the pod to its end.</summary>
    public async Task<string> RunAsync()
    {
        Stage1Process process = await StartAsync();
        await process.Ended.WaitAsync(Limit);
        return Output();
    }

    /// <summary>Starts the pod and waits until an app has printed a word.</summary>
    public async Task<Stage1Process> StartAndWaitForAsync(string word, string app = "main")
    {
        Stage1Process process = await StartAsync();
        await WaitForAsync(word, app);
        return process;
    }

    public async Task WaitForAsync(string word, string app = "main")
    {
        using CancellationTokenSource limit = new(Limit);
        while (!Output(app).Contains(word, StringComparison.Ordinal))
        {
            await Task.Delay(10, limit.Token);
        }
    }

    public void AssertNothingIsLeft()
    {
        Assert.False(System.IO.Directory.Exists(CGroup), "a control group is left");
        Assert.DoesNotContain(Limits, System.IO.Directory.Exists);

        // Not there before the first pod of all that was started.
        string ranges = System.IO.Directory.CreateDirectory(Path.Combine(_fixture.Root, "uidranges")).FullName;
        Assert.DoesNotContain(System.IO.Directory.EnumerateFiles(ranges), f => SafeRead(f) == Uuid);
        Assert.DoesNotContain(Uuid, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);

        // A child that another test is just launching has copies of all descriptors for a moment, this lock's too.
        Assert.True(SpinWait.SpinUntil(() => !LockFile.IsHeld(LockPath), TimeSpan.FromSeconds(10)), "the lock is held");
        Assert.True(Leader is null || !ProcessIdentity.IsAlive(Leader), "process 1 of the pod is left");
    }

    public void Dispose()
    {
        _lock.Dispose();
        TreeRemover.Remove(Directory);
        File.Delete(LockPath);
    }

    private static string? SafeRead(string path) => PodPaths.ReadText(path);
}
