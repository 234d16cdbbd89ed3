using Appc.Images;
using Appc.Pods;

namespace Appc.Aot.Faults;

/// <summary>Work on a data directory that faults strike.</summary>
/// <param name="Name">How it is called.</param>
/// <param name="PrepareAsync">What is there before.</param>
/// <param name="RunAsync">The work.</param>
/// <param name="DoneAsync">What must be true once the work has reported success.</param>
internal sealed record Scenario(string Name, Func<World, Task> PrepareAsync, Func<World, Task> RunAsync, Func<World, Task> DoneAsync)
{
    /// <summary>Whether it removes things in ROOT/tmp: what it could not remove is left to a collection.</summary>
    public bool MayLeave => Name.StartsWith("collect", StringComparison.Ordinal) || Name == "remove";

    /// <summary>Whether it is about pods that run, and the image is only there for them.</summary>
    public bool IsAboutPods => ChangesApps || Name.StartsWith("pod-", StringComparison.Ordinal);

    /// <summary>Whether apps come and go in a pod that runs.</summary>
    public bool ChangesApps => Name.StartsWith("app-", StringComparison.Ordinal);

    /// <summary>Whether programs of others take part, or are waited for: it does not make quite as many calls each time.</summary>
    public bool Varies => ChangesApps || Name is "pod-run-nspawn" or "pod-stop";

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("import", _ => Task.CompletedTask, w => w.ImportAsync(), StoredAsync),
        new("import-over-insecure", w => w.ImportAsync(insecure: true), w => w.ImportAsync(), StoredAsync),
        new("remove", w => w.ImportAsync(), w => w.OpenStore().RemoveAsync(w.Reference.Id), RemovedAsync),
        new("render", w => w.ImportAsync(), w => w.OpenStore().GetLayersAsync(w.Reference.Id), StoredAsync),
        new("export", ExportableAsync, w => w.OpenStore().ExportAsync(w.Reference.Id, Exported(w)), ExportedAsync),
        new("collect-images", UsedAsync, CollectImagesAsync, RemovedAsync),
        new("collect-leftovers", LeaveAsync, w => w.OpenStore().CollectLeftoversAsync(), _ => Task.CompletedTask),
        new("collect-pods", PodsAsync, CollectPodsAsync, _ => Task.CompletedTask),
        .. PodScenarios.All,
    ];

    private static async Task StoredAsync(World world)
    {
        IReadOnlyList<StoredImage> images = await world.OpenStore().ListAsync();
        World.Check(images.Count == 1 && !images[0].Provenance.Insecure, "the import reported success and stored no checked image");
    }

    private static async Task RemovedAsync(World world) =>
        World.Check((await world.OpenStore().ListAsync()).Count == 0, "the image is still there");

    private static async Task ExportableAsync(World world)
    {
        await world.ImportAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(Exported(world))!);
    }

    private static string Exported(World world) => Path.Combine(world.Root, "out", "image.aci");

    private static async Task ExportedAsync(World world)
    {
        byte[] bytes = await File.ReadAllBytesAsync(Exported(world));
        byte[] expected = await File.ReadAllBytesAsync(world.Reference.Archive);
        World.Check(bytes.AsSpan().SequenceEqual(expected), "the exported archive is not the one that was imported");
    }

    /// <summary>An image with a rendered tree.</summary>
    private static async Task UsedAsync(World world)
    {
        await world.ImportAsync();
        await world.OpenStore().GetLayersAsync(world.Reference.Id);
    }

    private static async Task CollectImagesAsync(World world)
    {
        ImageCollectReport report = await world.OpenStore().CollectAsync(new ImageCollectOptions { GracePeriod = TimeSpan.Zero });
        if (report.Kept.Count + report.Failures.Count > 0)
        {
            // An image that resists is reported, not thrown; here both count as said.
            throw new ImageException(ImageFailure.Storage, string.Join("; ", report.Kept.Select(k => k.ToString()).Concat(report.Failures)));
        }
    }

    /// <summary>What a killed import leaves, with a tree that is deeper than removal recurses.</summary>
    private static async Task LeaveAsync(World world)
    {
        StoredImage image = await world.ImportAsync();
        string left = Path.Combine(world.Root, "tmp", "left");
        Directory.Move(Path.Combine(world.Root, "images", image.Id.ToString()), left);
        Directory.CreateDirectory(Path.Combine(left, string.Join('/', Enumerable.Repeat("d", 40))));
        Directory.CreateDirectory(Path.Combine(world.Root, "tmp", "empty"));
    }

    /// <summary>A pod that ended, one that was never run, and one whose preparation was interrupted.</summary>
    private static async Task PodsAsync(World world)
    {
        StoredImage image = await world.ImportAsync();
        using PodRuntime runtime = world.OpenRuntime();
        await using (Pod ended = await runtime.RunAsync(Spec()))
        {
            await ended.WaitAsync();
        }

        await runtime.PrepareAsync(Spec());
        string half = Path.Combine(world.Root, "pods", "prepare", Guid.NewGuid().ToString("D"));
        Directory.CreateDirectory(Path.Combine(half, "apps"));
        await File.WriteAllTextAsync(Path.Combine(world.Root, "pods", "locks", Path.GetFileName(half)), string.Empty);

        PodSpec Spec() => new(new AppSpec(image) { Exec = "/bin/true" });
    }

    internal static async Task CollectPodsAsync(World world)
    {
        GarbageReport report = await world.CollectPodsAsync();
        if (report.Failures.Count > 0)
        {
            // The same with pods.
            throw new PodException(PodFailure.WrongState, string.Join("; ", report.Failures));
        }
    }
}
