using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.Aot.Faults;

/// <summary>What a pod goes through, with the fly flavour. The image is there and rendered.</summary>
internal static class PodScenarios
{
    /// <summary>Name of the app that runs until it is stopped.</summary>
    public const string Waiting = "waiting";

    /// <summary>Name of the app of a pod that records its own end.</summary>
    public const string Recorded = "recorded";

    /// <summary>Name of the app that comes and goes while its pod runs.</summary>
    public const string Added = "added";

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("pod-prepare", ImageAsync, PrepareAsync, w => CheckAsync(w, PodState.Prepared)),
        new("pod-run", ImageAsync, w => RunAsync(w), EndedAsync),
        new("pod-run-prepared", PrepareFirstAsync, RunPreparedAsync, EndedAsync),
        new("pod-run-recorded", ImageAsync, w => RunAsync(w, recorded: true), EndedAsync),
        new("pod-run-limited", ImageAsync, w => RunAsync(w, """{"limit":"64M"}"""), EndedAsync),
        new("pod-stop", StartFirstAsync, StopAsync, w => CheckAsync(w, PodState.Exited)),
        new("pod-remove", RunFirstAsync, RemoveAsync, w => CheckAsync(w, null)),
        new("pod-run-nspawn", ImageAsync, w => RunAsync(w, stage1: "nspawn"), EndedAsync),
        new("app-add", StartMutableAsync, AddAppAsync, w => CheckAddedAsync(w, isThere: true)),
        new("app-remove", StartWithAddedAsync, RemoveAppAsync, w => CheckAddedAsync(w, isThere: false)),
        new("pod-collect", SeveralAsync, Scenario.CollectPodsAsync, w => CheckAsync(w, null)),
    ];

    private static PodSpec Spec(StoredImage image, string? memory = null, bool waits = false, bool recorded = false, string stage1 = "fly")
    {
        AppSpec app = new(image) { Exec = waits ? "/bin/wait" : "/bin/true", Name = waits ? Waiting : recorded ? Recorded : null };
        if (memory is not null)
        {
            app.Isolators.Add(Isolator.Create(IsolatorNames.Memory, memory));
        }

        return new PodSpec(app) { Stage1 = stage1, Options = new Stage1Options { RecordsOwnEnd = recorded } };
    }

    private static Task<StoredImage> ImageOfAsync(World world) => world.OpenStore().GetAsync(world.Reference.Id);

    private static async Task ImageAsync(World world)
    {
        StoredImage image = await world.ImportAsync();
        await world.OpenStore().GetLayersAsync(image.Id);
    }

    private static async Task PrepareAsync(World world)
    {
        using PodRuntime runtime = world.OpenRuntime();
        await runtime.PrepareAsync(Spec(await ImageOfAsync(world)));
    }

    private static async Task PrepareFirstAsync(World world)
    {
        await ImageAsync(world);
        await PrepareAsync(world);
    }

    private static async Task RunAsync(World world, string? memory = null, bool recorded = false, string stage1 = "fly")
    {
        using PodRuntime runtime = world.OpenRuntime();
        await using Pod pod = await runtime.RunAsync(Spec(await ImageOfAsync(world), memory, recorded: recorded, stage1: stage1));
        await pod.WaitAsync();
    }

    private static async Task RunFirstAsync(World world)
    {
        await ImageAsync(world);
        await RunAsync(world);
    }

    private static async Task RunPreparedAsync(World world)
    {
        using PodRuntime runtime = world.OpenRuntime();
        await using Pod pod = await runtime.RunPreparedAsync((await runtime.ListAsync())[0].Uuid);
        await pod.WaitAsync();
    }

    /// <summary>A pod that another process has started and looks after.</summary>
    private static Task StartFirstAsync(World world) => StartFirstAsync(world, "fly", mutable: false);

    private static async Task StartFirstAsync(World world, string stage1, bool mutable)
    {
        await ImageAsync(world);
        using PodRuntime runtime = world.OpenRuntime();
        PodSpec spec = Spec(await ImageOfAsync(world), waits: true, stage1: stage1);
        spec.Mutable = mutable;
        await runtime.RunAsync(spec);
    }

    /// <summary>Does something with the only pod.</summary>
    private static async Task WithPodAsync(World world, Func<Pod, Task> work)
    {
        using PodRuntime runtime = world.OpenRuntime();
        await using Pod pod = await runtime.OpenAsync((await runtime.ListAsync())[0].Uuid);
        await work(pod);
    }

    private static Task StopAsync(World world) => WithPodAsync(world, pod => pod.StopAsync(TimeSpan.FromSeconds(30)));

    private static async Task RemoveAsync(World world)
    {
        using PodRuntime runtime = world.OpenRuntime();
        await runtime.RemoveAsync((await runtime.ListAsync())[0].Uuid);
    }

    /// <summary>One that ended, one that was limited, and one that was never run.</summary>
    private static async Task SeveralAsync(World world)
    {
        await RunFirstAsync(world);
        await RunAsync(world, """{"limit":"64M"}""");
        await PrepareAsync(world);
    }

    /// <summary>A pod whose apps may change, which another process has started.</summary>
    private static Task StartMutableAsync(World world) => StartFirstAsync(world, "nspawn", mutable: true);

    private static async Task StartWithAddedAsync(World world)
    {
        await StartMutableAsync(world);
        await AddAppAsync(world);
    }

    private static Task AddAppAsync(World world) =>
        WithPodAsync(world, async pod =>
        {
            // Limited, so that groups of its own are made for it.
            AppSpec app = new(await ImageOfAsync(world)) { Name = Added, Exec = "/bin/wait" };
            app.Isolators.Add(Isolator.Create(IsolatorNames.Memory, """{"request":"16M","limit":"64M"}"""));
            app.Isolators.Add(Isolator.Create(IsolatorNames.Cpu, """{"limit":"500m"}"""));
            await pod.AddAppAsync(app);
        });

    private static Task RemoveAppAsync(World world) => WithPodAsync(world, pod => pod.RemoveAppAsync(Added, TimeSpan.Zero));

    private static async Task CheckAddedAsync(World world, bool isThere)
    {
        using PodRuntime runtime = world.OpenRuntime();
        PodStatus status = (await runtime.ListAsync())[0];
        World.Check(status.State == PodState.Running, $"the pod is {status.State}");
        AppStatus? added = status.Apps.FirstOrDefault(a => a.Name.ToString() == Added);
        World.Check(isThere ? added is { State: AppState.Running } : added is null, $"the app that comes and goes is {added?.State.ToString() ?? "not there"}");
    }

    /// <summary>Whatever happened to the apps of a running pod: they can be told, taken away and added again.</summary>
    public static async Task RecoverAppsAsync(World world, Pod pod)
    {
        string[] names = [.. (await pod.GetStatusAsync()).Apps.Select(a => a.Name.ToString())];
        World.Check(names is [Waiting] or [Waiting, Added], "the pod's apps are " + string.Join(", ", names));
        if (names.Contains(Added))
        {
            await pod.RemoveAppAsync(Added, TimeSpan.Zero);
        }

        await AddAppAsync(world);
        await CheckAddedAsync(world, isThere: true);
    }

    private static async Task EndedAsync(World world)
    {
        using PodRuntime runtime = world.OpenRuntime();
        PodStatus status = (await runtime.ListAsync())[0];
        World.Check(status.State == PodState.Exited, $"the pod is {status.State}");

        // A fault in nspawn's own set-up shows when the systemd inside cannot execute the app, and says so by a code of its own.
        bool told = status.Stage1 == "nspawn" && status.ExitCode >= 200;
        World.Check(status.ExitCode == 0 || told || status.Apps[0].State == AppState.Unknown, $"the exit code is {status.ExitCode}");
    }

    private static async Task CheckAsync(World world, PodState? state)
    {
        using PodRuntime runtime = world.OpenRuntime();
        IReadOnlyList<PodStatus> pods = await runtime.ListAsync();
        World.Check(state is null ? pods.Count == 0 : pods.Count == 1 && pods[0].State == state, "the pods are " + string.Join(", ", pods.Select(p => p.State)));
    }
}
