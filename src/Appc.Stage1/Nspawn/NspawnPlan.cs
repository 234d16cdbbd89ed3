using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Appc.Stage1.Volumes;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>What a launch needs to know beyond the pod.</summary>
/// <param name="Nspawn">The program.</param>
/// <param name="Tree">The stage1 tree.</param>
/// <param name="Objects">What it shows of the host's own files in the place of the tree's.</param>
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
    string Nspawn, HeldTree Tree, HostObjects Objects, IdMap Ids, Fd CGroup, string Hierarchy, PodLimits Limits, NspawnSockets Sockets, NspawnStreams Streams, NspawnHostServices Host,
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
    internal const string Scratch = "/run/systemd/nspawn";
    internal const string MapStep = "map the user ids of the image of the app ";
    private const string CGroupRoot = "/sys/fs/cgroup";
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

    internal static string HostNameOf(Stage1Pod pod) => pod.Options.Hostname ?? PodCGroup.NameOf(pod.Uuid);

    /// <summary>Adds to a failure what to do about it, where that can be told.</summary>
    internal static LaunchException Explain(LaunchException e, string subject, IEnumerable<AppMount> mounts)
    {
        if (AppDirectory.Explain(e, subject) is { } directory)
        {
            return directory;
        }

        if (e.Errno == Errno.EINVAL && e.Step.StartsWith(MapStep, StringComparison.Ordinal))
        {
            return new LaunchException(
                e.Step, e.Errno, e.Message, "The file system of the data directory must know id-mapped mounts: ext4, xfs, btrfs, or tmpfs since Linux 6.3.", e);
        }

        return e.Step.StartsWith(NspawnVolumes.MapStep, StringComparison.Ordinal) && mounts.FirstOrDefault(m => m.Volume.Name.ToString() == e.Step[NspawnVolumes.MapStep.Length..]) is { } volume
            ? VolumeFaults.Unmapped(e, volume) : e;
    }

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
            _launch.Ids.Descriptor, _launch.Ids.LockDescriptor, _pod.LockDescriptor, _launch.Tree.Directory.Number, .. _launch.Objects.Descriptors, .. _launch.Sockets.Descriptors, .. _launch.Streams.Descriptors, .. _launch.Guard?.Descriptors ?? [],
        ]);
        _launch.Guard?.Join(_plan);
        LaunchArgument input = _plan.Open("open /dev/null", "/dev/null", Libc.O_RDONLY);
        LaunchArgument log = _plan.Open("open the log of nspawn", paths.NspawnLog, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND, 0x180);
        int lowest = apps.Select(a => a.App.OomScoreAdjustment).DefaultIfEmpty().Min();
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
        PodParameters.Show(_plan, _pod, Scratch + "/pod");
        _launch.Host.Mount(_plan, Scratch, _launch.Ids);
        _plan.MakeDirectory("make directories", Scratch + "/apps", Executable);
        if (_pod.Mutable)
        {
            // What is mounted here later, in this namespace alone, shows in the pod.
            _plan.MakeShared("share the apps' directory with the pod", Scratch + "/apps");
        }

        _plan.MakeDirectory("make directories", Scratch + "/layers", Executable);
        _plan.ChangeDirectory("change directory", Scratch);
        NspawnVolumes.MountMemory(_plan, _pod, _launch.Labels, _subject);
        NspawnAppMounts mounts = new(_plan, _pod, _launch.Ids, _launch.Labels, HostNameOf(_pod));
        foreach ((NspawnApp app, ImageTree image) in apps)
        {
            NspawnAppMounts.Taken taken = mounts.Take(app, image);
            taken.Attach($"{Scratch}/apps/{app.Name}/rootfs");
            taken.ShowRun($"{Scratch}/apps/{app.Name}/rootfs");
        }

        _plan.ChangeDirectory("change directory", "/");
        List<(LaunchArgument, int)> descriptors = [(input, 0), (_launch.Streams.OpenOutput(_plan, _pod) ?? log, 1), (log, 2)];
        descriptors.AddRange(_launch.Sockets.Descriptors.Select((d, i) => ((LaunchArgument)d, NspawnSockets.FirstDescriptor + i)));
        descriptors.Add((_launch.Tree.Directory.Number, descriptors.Count));
        foreach (int held in (IEnumerable<int>)[.. _launch.Streams.Descriptors, _pod.LockDescriptor, _launch.Ids.LockDescriptor])
        {
            if (held >= 0)
            {
                descriptors.Add((held, descriptors.Count));
            }
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
        _launch.Objects.Show(_plan, _launch.Tree, $"{files}/{PodPaths.ObjectsName}");
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
            "--hostname=" + HostNameOf(_pod),
            "--bind=" + Scratch + "/pod:" + Stage1TreeFiles.PodDirectory,
            "--bind=" + Scratch + "/apps:" + Stage1TreeFiles.AppsDirectory,
            "--setenv=SYSTEMD_UNIT_PATH=" + Stage1TreeFiles.PodDirectory + "/units:/usr/lib/systemd/system",
            "--setenv=" + QuietWatches.NoMountTable,
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

        arguments.AddRange(["/" + InitProgram.Path, "--show-status=no", "--log-target=null", "--log-level=warning", "--unit=" + PodUnits.PodTarget]);
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
        // An app that is added later may have none.
        if (_pod.Options.NoSeccomp || (!_pod.Mutable && apps.All(a => a.App.Filter is not null)))
        {
            environment.Add("SYSTEMD_SECCOMP=0");
        }

        _launch.Sockets.WriteEnvironment(_plan, environment);

        return environment;
    }
}
