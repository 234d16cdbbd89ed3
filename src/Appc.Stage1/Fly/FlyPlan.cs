using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;
using Appc.Stage1.Volumes;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>Writes the launch plan of a fly pod: what its first process does before it becomes the app.</summary>
internal sealed class FlyPlan
{
    /// <summary>The number under which the app holds the pod's lock: out of the way of programs and shells.</summary>
    internal const int LockDescriptor = 99;

    private const int LayersInOneOption = 200;
    private const int FirstSpareDescriptor = 200;
    private static readonly ulong Namespaces =
        (ulong)(LibC.CLONE_NEWNS | LibC.CLONE_NEWPID | LibC.CLONE_NEWIPC | LibC.CLONE_NEWUTS);

    private readonly Stage1Pod _pod;
    private readonly Stage1App _app;
    private readonly LaunchPlan _plan;
    private readonly SecurityLabels _labels;
    private readonly string _own;
    private readonly IReadOnlyList<AppMount> _mounts;

    // Numbers from here on are free for descriptors that must have a known one.
    private int _spare = FirstSpareDescriptor;

    private FlyPlan(Stage1Pod pod, LaunchPlan plan, SecurityLabels labels, IReadOnlyList<AppMount> mounts)
    {
        _mounts = mounts;
        _labels = labels;
        _pod = pod;
        _app = pod.Apps[0];
        _own = Path.Combine(pod.Directory, "stage1");
        _plan = plan;
    }

    /// <summary>Whether the pod has a process that records its end: one that ends with its starter needs none.</summary>
    internal static bool IsKept(Stage1Pod pod) => pod.Options.RecordsOwnEnd && pod.Lifetime != PodLifetime.Host;

    /// <summary>Builds the plan.</summary>
    internal static LaunchPlan Build(
        Stage1Pod pod, AppUser user, FlyLimits limits, FlySockets sockets, FlyStreams streams, SecurityLabels labels, string subject, ImageTree tree,
        IReadOnlyList<AppMount> mounts, FlyKernel kernel, LifeGuard? guard)
    {
        bool keeper = IsKept(pod);
        LaunchPlan plan = keeper ? new(subject, 0, new LaunchArena()) : new(subject, Namespaces);
        try
        {
            FlyPlan fly = new(pod, plan, labels, mounts);
            if (keeper)
            {
                FlyKeeper.Write(plan, pod, Namespaces, () => fly.Write(
                    user, limits, FlyKeeper.Numbered(sockets), FlyKeeper.Numbered(sockets, streams), FlyKeeper.Lock(pod), subject, tree, kernel, guard: null));
            }
            else
            {
                fly.Write(user, limits, sockets.Descriptors, streams, pod.LockDescriptor, subject, tree, kernel, guard);
            }

            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    private void Write(
        AppUser user, FlyLimits limits, IReadOnlyList<int> sockets, FlyStreams streams, int lockDescriptor, string subject, ImageTree tree, FlyKernel kernel, LifeGuard? guard)
    {
        App app = _app.App;
        if (app.Exec.Count == 0)
        {
            throw new LaunchException("find the program", 0, $"{subject}: the app {_app.Name} names no program to execute");
        }

        if (app.EventHandlers.Count > 0)
        {
            throw new LaunchException(
                "prepare", 0, $"{subject}: the app {_app.Name} has a {app.EventHandlers[0].Name} handler, and fly runs the app only", "Use the nspawn flavour.");
        }

        IReadOnlyDictionary<string, string> environment = AppEnvironment.Build(_pod, _app, user);
        CapabilitySet capabilities = Capabilities(_pod, _app, kernel.LastCapability, out bool retained);

        IReadOnlyList<ProcessLimit> processLimits = ProcessLimit.Of(_app.Runtime, subject);

        int[] kept = [lockDescriptor, .. sockets, .. streams.Numbers, .. guard?.Descriptors ?? [], .. IsKept(_pod) ? (int[])[LaunchPlan.ReportDescriptor] : []];
        _plan.CloseAllBut(kept);
        _spare = Math.Max(_spare, kept.Max() + 1);
        guard?.Join(_plan);
        limits.Join(_plan);
        foreach ((string path, string value) in KernelParameters.Of(_pod.Manifest.Isolators, FlyStage1.InEffect(_pod.Options)))
        {
            // Of the IPC namespace that the child was born into.
            _plan.WriteFile($"set the kernel parameter {path}", path, System.Text.Encoding.UTF8.GetBytes(value));
        }

        _plan.SetUmask(0);
        _plan.MakeMountsPrivate();

        // Everything of the host is opened while its root is still there.
        LaunchArgument input = streams.Open(_plan);
        LaunchArgument output = OpenLog(_pod.StandardOutputPath(_app.Name));
        LaunchArgument error = OpenLog(_pod.StandardErrorPath(_app.Name));
        if (IsolatorReader.ReadInteger(app.Isolators, IsolatorNames.OomScoreAdj) is { } score)
        {
            _plan.WriteFile("set the OOM score", "/proc/self/oom_score_adj", System.Text.Encoding.ASCII.GetBytes(score.ToString(CultureInfo.InvariantCulture)));
        }

        IReadOnlyList<(string, string)> labels = _labels.BeforeExecution(_app.Name);
        LaunchArgument proc = labels.Count == 0 ? default : _plan.Open("open /proc", "/proc", LibC.O_PATH | Libc.O_DIRECTORY);
        _plan.MakeDirectory("make the pod's stage1 directory", _own, 0x1c0); // 0700: an app's files may be set-id
        FlyVolumes volumes = new(_plan, _pod, _mounts, tree, _labels, _own);
        volumes.Open(subject);
        MountRoot(tree);
        _plan.ChangeDirectory("enter the app's root", _own);
        _plan.PivotRootHere();

        // From here on every path is one of the app's root, and so is every link on the way.
        NameFileSteps.Add(_plan, FlyStage1.InEffect(_pod.Options), HostNameOf(_pod), tree, _plan.Open("open the app's root", "/", LibC.O_PATH | Libc.O_DIRECTORY), 0);
        MountKernelFileSystems();
        if (!_pod.Options.KeepKernelPaths)
        {
            kernel.Paths.Protect(_plan);
        }

        if (_app.Input == AppInput.Terminal)
        {
            input = output = error = streams.MakeTerminal(_plan, user, _spare++);
        }

        if (volumes.CoverDevices)
        {
            CloseDevices();
            volumes.Attach();
        }
        else
        {
            volumes.Attach();
            CloseDevices();
        }

        if (_app.Runtime.ReadOnlyRootFs)
        {
            _plan.Remount("make the root read-only", "/", LibC.MS_RDONLY | LibC.MS_NODEV);
        }

        string directory = app.WorkingDirectory.Length == 0 ? "/" : app.WorkingDirectory;
        _plan.ChangeDirectory($"enter the working directory {directory}", directory);
        _plan.SetHostName(HostNameOf(_pod));
        _plan.NewSessionKeyring();
        SecurityLabels.Write(_plan, proc, labels);

        // While the child may still install a filter without no-new-privileges. The steps that follow pass it.
        if (!_pod.Options.NoSeccomp && kernel.FilterFor(app.Isolators, capabilities) is { Length: > 0 } filter)
        {
            _plan.InstallFilter(filter);
        }

        _plan.SetUmask(0x12); // 022
        List<(LaunchArgument, int)> passed = [(input, 0), (output, 1), (error, 2)];
        passed.AddRange(sockets.Select((s, i) => ((LaunchArgument)s, FlySockets.FirstDescriptor + i)));
        passed.AddRange(streams.Passed);
        if (lockDescriptor >= 0)
        {
            passed.Add((lockDescriptor, LockDescriptor));
        }

        _plan.PassDescriptors(passed);
        if (_app.Input == AppInput.Terminal)
        {
            _plan.BeginSession(terminal: true);
        }
        else
        {
            _plan.LeaveTerminal();
        }

        // While the child may still raise them, and when it needs no more descriptors.
        foreach (ProcessLimit limit in processLimits)
        {
            _plan.SetLimit($"limit {limit.Name}", limit.Resource, limit.Soft, limit.Hard, tolerated: 0);
        }

        PrivilegeSteps.Drop(_plan, user, capabilities, retained, kernel.LastCapability);
        if (IsolatorReader.ReadBoolean(app.Isolators, IsolatorNames.NoNewPrivileges))
        {
            _plan.NoNewPrivileges();
        }

        _plan.Become(
            ProgramSearch.Candidates(app.Exec[0], directory, environment["PATH"]),
            app.Exec,
            [.. environment.Select(v => $"{v.Key}={v.Value}"), .. FlySockets.Environment(_pod)]);
    }

    /// <summary>What isolates a command in a running app beyond the namespaces that it joins.</summary>
    internal static ExecRequest Describe(Stage1Pod pod, Stage1App stage1App, Stage1Command command, ImageTree tree, string subject, FlyKernel kernel)
    {
        App app = stage1App.App;
        AppUser own = AppUser.Resolve(app, tree, subject);
        AppUser user = command.AsRoot ? AppUser.Root : own;
        CapabilitySet capabilities = Capabilities(pod, stage1App, kernel.LastCapability, out bool retained);
        byte[] filter = pod.Options.NoSeccomp ? [] : kernel.FilterFor(app.Isolators, capabilities);
        return new ExecRequest
        {
            Subject = subject,
            Command = command,
            User = user,
            Environment = ExecRequest.MergeEnvironment(pod, stage1App, user, command),
            WorkingDirectory = ExecRequest.DirectoryOf(stage1App, command),
            Capabilities = capabilities,
            CapabilitiesRetained = retained,
            NoNewPrivileges = IsolatorReader.ReadBoolean(app.Isolators, IsolatorNames.NoNewPrivileges),
            LastCapability = kernel.LastCapability,
            Filters = filter.Length == 0 ? [] : [filter],
            FiltersFirst = true,
            OomScoreAdjustment = IsolatorReader.ReadInteger(app.Isolators, IsolatorNames.OomScoreAdj),
            HostUid = user.Uid,
        };
    }

    private static CapabilitySet Capabilities(Stage1Pod pod, Stage1App app, int last, out bool retained)
    {
        CapabilitySet ofKernel = new((1UL << (last + 1)) - 1);
        CapabilitySet asked = CapabilitySet.FromIsolators(app.App.Isolators, out retained);
        // All that can be kept is what this process has: a service or a container may have less than the kernel knows.
        return pod.Options.KeepAllCapabilities ? new CapabilitySet(ofKernel.Bits & ProcFs.PermittedCapabilities()) : new CapabilitySet(asked.Bits & ofKernel.Bits);
    }

    internal static string HostNameOf(Stage1Pod pod)
    {
        const int KernelLimit = 64;
        string name = pod.Options.Hostname ?? "appc-" + pod.Uuid;
        return name.Length <= KernelLimit ? name : name[..KernelLimit];
    }

    private LaunchArgument OpenLog(string path) => _plan.Open(
        "open the log", path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND | LibC.O_NOFOLLOW | LibC.O_NOCTTY, 0x1a0); // 0640

    /// <summary>The app's root: its layers, and over them a layer of its own. Mounted over the pod's stage1 directory.</summary>
    private void MountRoot(ImageTree tree)
    {
        _plan.ChangeDirectory("enter the pod's stage1 directory", _own);

        // The layers are named by descriptors: short enough for many of them, and the app's /proc/self/mountinfo
        // shows no path of the host. They are opened here because the kernel wants them of this mount namespace.
        List<string> lower = [];
        for (int i = 0; i < _app.Layers.Count; i++)
        {
            int number = _spare++;
            _plan.OpenAs("open the image", _app.Layers[_app.Layers.Count - 1 - i], LibC.O_PATH | LibC.O_DIRECTORY, number);
            lower.Add(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{number}"));
        }

        // The root directory of an overlay has the mode and the owner of its upper layer.
        Libc.Statx root = tree.Root;
        uint mode = root.Mode & 0xfffu;
        _plan.MakeDirectory("make the upper layer", "upper", mode);
        _plan.MakeDirectory("make the upper layer", "work", 0x1c0);
        if (root.Uid != 0 || root.Gid != 0)
        {
            _plan.ChangeOwner("make the upper layer", "upper", root.Uid, root.Gid);
        }

        // Volatile: without it the kernel writes back the whole file system that holds the data directory at the end
        // of every pod, and waits. What must survive a power cut belongs in volumes; a pod does not survive one.
        if (lower.Count <= LayersInOneOption)
        {
            _plan.Mount(
                "mount the app's root", "overlay", ".", "overlay", LibC.MS_NODEV,
                $"lowerdir={string.Join(':', lower)},upperdir=upper,workdir=work,volatile{_labels.MountOption}");
        }
        else
        {
            // A mount option string is a page; newer kernels take layers one by one.
            LaunchArgument overlay = _plan.NewFileSystem(
                "mount the app's root", "overlay", Libc.MOUNT_ATTR_NODEV,
                [.. lower.Select(l => ("lowerdir+", (string?)l)), ("upperdir", "upper"), ("workdir", "work"), ("volatile", null), .. _labels.SelinuxFileContext is { } context ? ((string, string?)[])[("context", context)] : []]);
            _plan.Attach("mount the app's root", overlay, ".");
        }
    }

    private void MountKernelFileSystems()
    {
        const ulong Strict = 0x2 | 0x4 | 0x8; // MS_NOSUID | MS_NODEV | MS_NOEXEC
        _plan.MakeDirectory("make /proc", "/proc", 0x16d);
        _plan.Mount("mount /proc", "proc", "/proc", "proc", Strict);
        _plan.MakeDirectory("make /sys", "/sys", 0x16d);
        _plan.Mount("mount /sys", "sysfs", "/sys", "sysfs", Strict | LibC.MS_RDONLY);

        const string Dev = "make /dev";
        _plan.MakeDirectory(Dev, "/dev", 0x1ed);
        _plan.Mount(Dev, "tmpfs", "/dev", "tmpfs", LibC.MS_NOSUID | LibC.MS_NOEXEC, "mode=755,size=64k,nr_inodes=64" + _labels.MountOption);
        foreach ((string name, uint minor) in (ReadOnlySpan<(string, uint)>)[("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)])
        {
            _plan.MakeDevice(Dev, "/dev/" + name, 0x1b6, 1, minor);
        }

        _plan.MakeDevice(Dev, "/dev/tty", 0x1b6, 5, 0);
        _plan.MakeLink(Dev, "/proc/self/fd", "/dev/fd");
        _plan.MakeLink(Dev, "/proc/self/fd/0", "/dev/stdin");
        _plan.MakeLink(Dev, "/proc/self/fd/1", "/dev/stdout");
        _plan.MakeLink(Dev, "/proc/self/fd/2", "/dev/stderr");
        _plan.MakeLink(Dev, "pts/ptmx", "/dev/ptmx");

        // The specification has a console in every app (OS-SPEC.md); the host's is not meant for it.
        _plan.MakeLink(Dev, _app.Input == AppInput.Terminal ? "tty" : "null", "/dev/console");
        _plan.MakeDirectory(Dev, "/dev/pts", 0x1ed);
        _plan.MakeDirectory(Dev, "/dev/shm", 0x3ff);
        _plan.Mount("mount /dev/pts", "devpts", "/dev/pts", "devpts", LibC.MS_NOSUID | LibC.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620" + _labels.MountOption);
        _plan.Mount("mount /dev/shm", "tmpfs", "/dev/shm", "tmpfs", Strict, "mode=1777,size=10%" + _labels.MountOption);
    }

    /// <summary>
    /// No device can be added any more: the app may keep CAP_MKNOD, and nothing else would stop it from making a disk. Places for
    /// volumes are made before.
    /// </summary>
    private void CloseDevices() => _plan.Remount("make /dev", "/dev", LibC.MS_RDONLY | LibC.MS_NOSUID | LibC.MS_NOEXEC);
}
