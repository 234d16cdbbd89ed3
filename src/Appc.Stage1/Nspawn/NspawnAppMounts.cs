using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Steps that put together the root file system of an app: id-mapped image trees, over them a layer of its own, volumes.
/// First everything of the host is opened, then it is mounted, possibly in another mount namespace. The working directory is
/// <see cref="NspawnPlan.Scratch"/> then.
/// </summary>
internal sealed class NspawnAppMounts(LaunchPlan plan, Stage1Pod pod, IdMap ids, SecurityLabels labels, string hostName)
{
    private const string Scratch = NspawnPlan.Scratch;
    private const int MountOptionsLimit = 4000;
    private const uint Executable = 0x1ed;

    /// <summary>Opens what the root is made of.</summary>
    internal Taken Take(NspawnApp app, ImageTree image)
    {
        List<LaunchArgument> layers = [];
        foreach (string layer in app.App.Layers)
        {
            LaunchArgument tree = plan.CloneTree(StepOf(app), layer, recursive: false);
            ulong attributes = Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_RDONLY | (ids.IsMapped ? Libc.MOUNT_ATTR_IDMAP : 0);
            plan.SetAttributes($"{NspawnPlan.MapStep}{app.Name}", tree, attributes, ids.Descriptor);
            layers.Add(tree);
        }

        NspawnVolumes volumes = new(plan, app, image, ids, labels);
        return new Taken(this, app, image, layers, volumes, volumes.Open(new PodPaths(pod).Volumes));
    }

    private static string StepOf(NspawnApp app) => $"mount the root of the app {app.Name}";

    private void Attach(Taken taken, string root)
    {
        NspawnApp app = taken.App;
        string step = StepOf(app);
        plan.MakeDirectory(step, $"{Scratch}/layers/{app.Name}", Executable);
        List<string> lower = [];
        foreach (LaunchArgument tree in taken.Layers)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"layers/{app.Name}/{lower.Count}");
            plan.MakeDirectory(step, $"{Scratch}/{path}", Executable);
            plan.Attach(step, tree, $"{Scratch}/{path}");
            lower.Insert(0, path);
        }

        plan.MakeDirectory(step, Path.GetDirectoryName(root)!, Executable);
        plan.MakeDirectory(step, root, Executable);
        MountOverlay(step, root, lower, $"own/apps/{app.Name}");

        LaunchArgument top = plan.Open(step, root, LibC.O_PATH | Libc.O_DIRECTORY);
        foreach (string directory in app.MissingDirectories)
        {
            plan.MakeDirectoryAt(step, top, directory[1..], Executable);
            plan.ChangeOwnerAt(step, top, directory[1..], ids.First);
        }

        AppDevices.Attach(plan, app, ids, labels, top);
        NameFileSteps.Add(plan, pod.Options, hostName, taken.Image, top, ids.First);
        taken.Volumes.Attach(top, taken.Trees);
        AppDirectory.Add(plan, app.App, top);
        if (app.App.Runtime.ReadOnlyRootFs)
        {
            // Set out here, where nobody inside can take it back; volumes are mounts of their own and stay as they are.
            plan.Remount($"make the root of the app {app.Name} read-only", root, LibC.MS_RDONLY | LibC.MS_NODEV);
        }
    }

    /// <summary>
    /// Shows what the root has in /run at a place beside it too: from there the app's unit mounts it over the empty file system that
    /// systemd mounts in the root's own.
    /// </summary>
    private void ShowRun(NspawnApp app, string root)
    {
        if (!app.ShownRunContents.Any())
        {
            return;
        }

        string step = StepOf(app);
        string place = RunOf(app.Name.ToString());
        plan.MakeDirectory(step, Path.GetDirectoryName(place)!, Executable);
        plan.MakeDirectory(step, place, Executable);
        LaunchArgument run = plan.OpenInRoot(step, plan.Open(step, root, LibC.O_PATH | Libc.O_DIRECTORY), "/run", LibC.O_PATH | LibC.O_DIRECTORY);
        plan.Attach(step, plan.CloneTree(step, run, recursive: true), place);
    }

    /// <summary>Where what an app's root has in /run is shown.</summary>
    internal static string RunOf(string app) => $"{Scratch}/apps/{app}/{NspawnApp.RunName}";

    private void MountOverlay(string step, string root, List<string> lower, string own)
    {
        string options = $"lowerdir={string.Join(':', lower)},upperdir={own}/upper,workdir={own}/work{labels.MountOption}";
        if (options.Length < MountOptionsLimit)
        {
            plan.Mount(step, "overlay", root, "overlay", LibC.MS_NODEV, options);
            return;
        }

        // A mount option string is a page; newer kernels take layers one by one.
        LaunchArgument tree = plan.NewFileSystem(
            step,
            "overlay",
            Libc.MOUNT_ATTR_NODEV,
            [.. lower.Select(l => ("lowerdir+", (string?)l)), ("upperdir", own + "/upper"), ("workdir", own + "/work"), .. labels.SelinuxFileContext is { } context ? ((string, string?)[])[("context", context)] : []]);
        plan.Attach(step, tree, root);
    }

    /// <summary>What the root of an app is made of, opened.</summary>
    internal sealed record Taken(
        NspawnAppMounts Mounts, NspawnApp App, ImageTree Image, IReadOnlyList<LaunchArgument> Layers, NspawnVolumes Volumes, IReadOnlyList<OpenVolume> Trees)
    {
        /// <summary>Mounts the root at a directory.</summary>
        internal void Attach(string root) => Mounts.Attach(this, root);

        /// <summary>Shows what the root has in /run, once it is where it stays.</summary>
        internal void ShowRun(string root) => Mounts.ShowRun(App, root);
    }
}
