using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>What a launch needs to know beyond the pod.</summary>
/// <param name="Nspawn">The program.</param>
/// <param name="Tree">The stage1 tree.</param>
/// <param name="Ids">The pod's ids.</param>
/// <param name="CGroup">The pod's control group.</param>
/// <param name="Hierarchy">Where the version 2 hierarchy is mounted.</param>
/// <param name="Limits">The pod's limits, prepared.</param>
/// <param name="Sockets">The listening sockets for its apps.</param>
/// <param name="Streams">The inputs of its apps.</param>
/// <param name="Host">What it uses of the host's systemd.</param>
/// <param name="Labels">What the host's security modules are told.</param>
/// <param name="Guard">Ends the pod with this program; null if it outlives it.</param>
internal sealed record NspawnLaunch(
    string Nspawn, HeldTree Tree, IdMap Ids, Fd CGroup, string Hierarchy, PodLimits Limits, NspawnSockets Sockets, NspawnStreams Streams, NspawnHostServices Host,
    SecurityLabels Labels, LifeGuard? Guard);

/// <summary>
/// Builds the launch of a pod: a child in a mount namespace of its own and in the pod's control group puts together
/// what the pod will see and becomes systemd-nspawn. Nothing of it is mounted on the host, and all of it is gone
/// with the pod's last process.
/// </summary>
internal sealed class NspawnPlan
{
    // A temporary file system of the child's own: where nspawn keeps its state, so that none is left on the host,
    // and a short name for everything of the pod, so that no path of the host shows up inside.
    private const string Scratch = "/run/systemd/nspawn";
    private const string MapStep = "map the user ids of the image of the app ";
    private const string CGroupRoot = "/sys/fs/cgroup";
    private const int MountOptionsLimit = 4000;
    private const uint Executable = 0x1ed;
    private const ulong Plain = Libc.MOUNT_ATTR_NOSUID | Libc.MOUNT_ATTR_NODEV;

    private readonly LaunchPlan _plan;
    private readonly Stage1Pod _pod;
    private readonly NspawnLaunch _launch;
    private readonly string _subject;

    private NspawnPlan(LaunchPlan plan, Stage1Pod pod, NspawnLaunch launch, string subject)
    {
        _plan = plan;
        _pod = pod;
        _launch = launch;
        _subject = subject;
    }

    private string HostName => _pod.Options.Hostname ?? PodCGroup.NameOf(_pod.Uuid);

    /// <summary>Adds to a failure what to do about it, where that can be told.</summary>
    internal static LaunchException Explain(LaunchException e) => e.Errno == Errno.EINVAL && e.Step.StartsWith(MapStep, StringComparison.Ordinal)
        ? new LaunchException(
            e.Step,
            e.Errno,
            e.Message,
            "The file system of the data directory must know id-mapped mounts: ext4, xfs, btrfs, or tmpfs since Linux 6.3.",
            e)
        : e;

    internal static LaunchPlan Build(
        Stage1Pod pod, NspawnLaunch launch, IReadOnlyList<(NspawnApp App, ImageTree Image)> apps, string subject)
    {
        Directory.CreateDirectory(Scratch);
        LaunchPlan plan = new(subject, (ulong)LibC.CLONE_NEWNS) { CGroup = launch.CGroup };
        try
        {
            new NspawnPlan(plan, pod, launch, subject).Build(apps);
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    private void Build(IReadOnlyList<(NspawnApp App, ImageTree Image)> apps)
    {
        PodPaths paths = new(_pod);
        _plan.CloseAllBut([
            _launch.Ids.Descriptor, _pod.LockDescriptor, _launch.Tree.Directory.Number, .. _launch.Sockets.Descriptors, .. _launch.Streams.Descriptors, .. _launch.Guard?.Descriptors ?? [],
        ]);
        _launch.Guard?.Join(_plan);
        LaunchArgument input = _plan.Open("open /dev/null", "/dev/null", Libc.O_RDONLY);
        LaunchArgument log = _plan.Open("open the log of nspawn", paths.NspawnLog, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND, 0x180);
        int lowest = apps.Min(a => a.App.OomScoreAdjustment);
        if (lowest < 0)
        {
            // Only out here may it go below zero; each app raises its own again.
            _plan.WriteFile("protect the pod from the OOM killer", "/proc/self/oom_score_adj", System.Text.Encoding.ASCII.GetBytes(lowest.ToString(CultureInfo.InvariantCulture)));
        }

        _launch.Limits.Join(_plan);
        _plan.SetUmask(0x12);
        _plan.MakeMountsPrivate();
        IReadOnlyList<(string, LaunchArgument)> limits = _launch.Limits.Take(_plan);
        if (_launch.Hierarchy != CGroupRoot)
        {
            // Where the host has version 1 hierarchies beside it, nspawn would hand all of them to the pod.
            _plan.Bind("show the version 2 control groups", _launch.Hierarchy, CGroupRoot, recursive: false);
        }

        _plan.Mount("mount the pod's scratch space", "tmpfs", Scratch, "tmpfs", LibC.MS_NOSUID | LibC.MS_NODEV, "mode=0755,size=1m" + _launch.Labels.MountOption);
        _plan.MakeDirectory("make directories", Scratch + "/own", Executable);
        _plan.BindWith("show the pod's directory", paths.Own, Scratch + "/own", Plain);
        ShowPodFiles(paths);
        PodLimits.Show(_plan, limits, Scratch + "/pod");
        _launch.Host.Mount(_plan, Scratch, _launch.Ids);
        _plan.MakeDirectory("make directories", Scratch + "/apps", Executable);
        _plan.MakeDirectory("make directories", Scratch + "/layers", Executable);
        _plan.ChangeDirectory("change directory", Scratch);
        foreach ((NspawnApp app, ImageTree image) in apps)
        {
            MountApp(app, image, paths);
        }

        _plan.ChangeDirectory("change directory", "/");
        List<(LaunchArgument, int)> descriptors = [(input, 0), (_launch.Streams.OpenOutput(_plan, _pod) ?? log, 1), (log, 2)];
        descriptors.AddRange(_launch.Sockets.Descriptors.Select((d, i) => ((LaunchArgument)d, NspawnSockets.FirstDescriptor + i)));
        descriptors.Add((_launch.Tree.Directory.Number, descriptors.Count));
        foreach (int held in _launch.Streams.Descriptors)
        {
            descriptors.Add((held, descriptors.Count));
        }

        if (_pod.LockDescriptor >= 0)
        {
            descriptors.Add((_pod.LockDescriptor, descriptors.Count));
        }

        _plan.PassDescriptors(descriptors);
        _plan.Execute([_launch.Nspawn], ["systemd-nspawn", .. Arguments(apps)], Environment(apps));
    }

    /// <summary>Units, accounts, logs and status: a directory that only process 1 of the pod sees.</summary>
    private void ShowPodFiles(PodPaths paths)
    {
        string files = Scratch + "/pod";
        _plan.MakeDirectory("make directories", files, Executable);
        _plan.BindWith("show the pod's units", paths.Files, files, Plain | Libc.MOUNT_ATTR_RDONLY);
        _plan.BindWith("show the pod's logs", paths.Logs, files + "/logs", Plain | Libc.MOUNT_ATTR_NOEXEC);
        _plan.BindWith("show the pod's status", paths.Status, files + "/status", Plain | Libc.MOUNT_ATTR_NOEXEC);
    }

    private void MountApp(NspawnApp app, ImageTree image, PodPaths paths)
    {
        string step = $"mount the root of the app {app.Name}";
        _plan.MakeDirectory(step, $"{Scratch}/layers/{app.Name}", Executable);
        List<string> lower = [];
        foreach (string layer in app.App.Layers)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"layers/{app.Name}/{lower.Count}");
            _plan.MakeDirectory(step, $"{Scratch}/{path}", Executable);
            LaunchArgument tree = _plan.CloneTree(step, layer, recursive: false);
            ulong attributes = Libc.MOUNT_ATTR_NODEV | Libc.MOUNT_ATTR_RDONLY | (_launch.Ids.IsMapped ? Libc.MOUNT_ATTR_IDMAP : 0);
            _plan.SetAttributes($"{MapStep}{app.Name}", tree, attributes, _launch.Ids.Descriptor);
            _plan.Attach(step, tree, $"{Scratch}/{path}");
            lower.Insert(0, path);
        }

        string root = $"{Scratch}/apps/{app.Name}/rootfs";
        _plan.MakeDirectory(step, $"{Scratch}/apps/{app.Name}", Executable);
        _plan.MakeDirectory(step, root, Executable);
        MountOverlay(step, root, lower, $"own/apps/{app.Name}");

        LaunchArgument top = _plan.Open(step, root, LibC.O_PATH | Libc.O_DIRECTORY);
        foreach (string directory in app.MissingDirectories)
        {
            _plan.MakeDirectoryAt(step, top, directory[1..], Executable);
            _plan.ChangeOwnerAt(step, top, directory[1..], _launch.Ids.First);
        }

        NameFileSteps.Add(_plan, _pod.Options, HostName, image, top, _launch.Ids.First);
        new NspawnVolumes(_plan, _pod, app, image, _launch.Ids, _subject).Attach(top, paths.Volumes);
        if (app.App.Runtime.ReadOnlyRootFs)
        {
            // Set out here, where nobody inside can take it back; volumes are mounts of their own and stay as they are.
            _plan.Remount($"make the root of the app {app.Name} read-only", root, LibC.MS_RDONLY | LibC.MS_NODEV);
        }
    }

    private void MountOverlay(string step, string root, List<string> lower, string own)
    {
        string options = $"lowerdir={string.Join(':', lower)},upperdir={own}/upper,workdir={own}/work{_launch.Labels.MountOption}";
        if (options.Length < MountOptionsLimit)
        {
            _plan.Mount(step, "overlay", root, "overlay", LibC.MS_NODEV, options);
            return;
        }

        // A mount option string is a page; newer kernels take layers one by one.
        LaunchArgument tree = _plan.NewFileSystem(
            step,
            "overlay",
            Libc.MOUNT_ATTR_NODEV,
            [.. lower.Select(l => ("lowerdir+", (string?)l)), ("upperdir", own + "/upper"), ("workdir", own + "/work"), .. _launch.Labels.SelinuxFileContext is { } context ? ((string, string?)[])[("context", context)] : []]);
        _plan.Attach(step, tree, root);
    }

    private List<string> Arguments(IReadOnlyList<(NspawnApp App, ImageTree Image)> apps)
    {
        string name = PodCGroup.NameOf(_pod.Uuid);
        List<string> arguments =
        [
            "--quiet", "--settings=no", .. _launch.Host.Arguments(Scratch), "--keep-unit", "--read-only", "--notify-ready=yes",
            "--kill-signal=SIGRTMIN+3", _launch.Streams.Console, "--link-journal=no", "--resolv-conf=off", "--timezone=off",
            "--directory=" + _launch.Tree.Path,
            "--machine=" + name,
            "--uuid=" + _pod.Uuid,
            "--hostname=" + HostName,
            "--bind=" + Scratch + "/pod:" + Stage1TreeFiles.PodDirectory,
            "--bind=" + Scratch + "/apps:" + Stage1TreeFiles.AppsDirectory,
            "--setenv=SYSTEMD_UNIT_PATH=" + Stage1TreeFiles.PodDirectory + "/units:/usr/lib/systemd/system",
        ];
        if (_launch.Ids.IsMapped)
        {
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--private-users={_launch.Ids.First}:{IdRanges.Size}"));
            arguments.Add("--private-users-ownership=map");
        }
        else
        {
            arguments.Add("--private-users=no");
        }

        arguments.AddRange(_launch.Labels.NspawnArguments);
        if (!_pod.Options.HostNetwork)
        {
            arguments.Add("--private-network");
        }

        CapabilitySet more = new(apps.Aggregate(0UL, (bits, a) => bits | (a.App.CapabilitiesRetained ? a.App.Capabilities.Bits : 0)));
        if (_pod.Options.KeepAllCapabilities)
        {
            arguments.Add("--capability=all");
        }
        else if (more.Bits != 0)
        {
            arguments.Add("--capability=" + string.Join(',', more.Names));
        }

        arguments.AddRange(["/usr/lib/systemd/systemd", "--show-status=no", "--log-target=null", "--log-level=warning", "--unit=" + PodUnits.PodTarget]);
        return arguments;
    }

    private List<string> Environment(IReadOnlyList<(NspawnApp App, ImageTree Image)> apps)
    {
        List<string> environment =
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "NOTIFY_SOCKET=" + Scratch + "/own/" + PodPaths.NotifyName,

            // The tree is held by its own lock, and the pod by the runtime's.
            "SYSTEMD_NSPAWN_LOCK=0",
            "SYSTEMD_NSPAWN_TMPFS_TMP=0",
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
        ];

        // Nspawn compiles a filter of its own, which takes as long as all else that it does. It is left out where
        // every app has a filter of its own, none of which allows what nspawn's denies (docs/nspawn.md has the exact
        // difference), or was asked to have none; what is left without one is the host's own systemd.
        if (_pod.Options.NoSeccomp || apps.All(a => a.App.Filter is not null))
        {
            environment.Add("SYSTEMD_SECCOMP=0");
        }

        _launch.Sockets.WriteEnvironment(_plan, environment);

        return environment;
    }
}
