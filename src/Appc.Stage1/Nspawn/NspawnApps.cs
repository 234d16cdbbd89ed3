using System.Globalization;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>Changes the apps of a running pod.</summary>
internal sealed class NspawnApps(
    Stage1Pod pod, Stage1ProcessId firstProcess, NspawnOptions options, SecurityModules modules, ExecLauncher commands, TimeProvider time)
{
    // More layers than any image has, and more volumes: their number is not known of one that is only half there.
    private const int MostLayers = 128;
    private const int MostVolumes = 64;

    // Beyond its time, for the systemd inside to see to it.
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(50);

    private readonly string _subject = "pod " + pod.Uuid;
    private readonly PodPaths _paths = new(pod);

    /// <exception cref="LaunchException">The app cannot be run in this pod.</exception>
    internal void Check(AcName name)
    {
        Stage1App app = Find(name);
        using ImageTree image = ImageTree.Of(app, _subject);
        NspawnApp resolved = Resolve(app, image).WithMounts(pod, image, _subject);
        Stage1ProcessId leader = RequireLeader();
        if (resolved.CapabilitiesRetained && ProcFs.StatusBits(leader.Pid, "CapBnd") is { } bits
            && new CapabilitySet(resolved.Capabilities.Bits & ~bits) is { Bits: not 0 } missing)
        {
            throw Refusal($"the app {name} cannot have {string.Join(", ", missing.Names)}: no app of the pod had it when the pod was started, and what process 1 of the pod has given up nobody can give back", "Start the pod with an app that retains it.");
        }

        if (app.Input != AppInput.None)
        {
            // What keeps it open is inherited by systemd-nspawn.
            throw Refusal($"the app {name} cannot be given an input in a pod that runs already", "Make the pod with the app, or run a command in the app.");
        }

        RunningLimits.Check(app, _subject);
    }

    internal Task AddAsync(AcName name, HeldTree tree, CancellationToken cancellationToken) => OnThreadAsync(
        () =>
        {
            Stage1App app = Find(name);
            using ImageTree image = ImageTree.Of(app, _subject);
            NspawnApp resolved = Resolve(app, image).WithMounts(pod, image, _subject);
            uint? first = _paths.ReadRange();
            using IdMap ids = first is { } mapped ? IdMap.Shifted(mapped) : IdMap.Same();
            using SafeFileHandle nspawn = OpenNspawn();

            // What the pod was given of the host's journal, whatever the options of this process say.
            bool journal = File.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{firstProcess.Pid}/root{NspawnPlan.Scratch}/run/journal/stdout"));
            PodOomScore.Allow(resolved, firstProcess, RequireLeader(), _subject);
            RequireLimits().Add(resolved, ids.First);
            new PodFilesWriter(pod).Add(resolved, ids.First, new NspawnHostServices(journal, Register: false), tree, options.StopTimeout, _subject);
            NspawnAppPlan.Mount(pod, resolved, image, ids, new SecurityLabels(modules, pod.Manifest), nspawn, _subject);
        },
        cancellationToken);

    internal async Task StartAsync(AcName name, CancellationToken cancellationToken)
    {
        if (IsRunning(name))
        {
            if (PodFiles.ReadStatus(pod.Directory, name) is null)
            {
                return;
            }

            // Its end is recorded already, by a program that is about to end, too.
            await WaitUntilEndedAsync(name, Allowance, cancellationToken).ConfigureAwait(false);
        }

        Stage1App app = Find(name);
        if (PodFiles.ReadStatus(pod.Directory, name) is not null && NspawnSockets.WereGivenTo(_paths, app))
        {
            // They were closed with its end, so that no connection starts it.
            throw new LaunchException(
                "start the app", 0, $"{_subject}: the app {name} had sockets of the host, which were closed when it ended, and would now run without them", "Give it a restart policy (AppSpec.Restart), with which it keeps them, or make a new pod with the sockets.");
        }

        using (ImageTree image = ImageTree.Of(app, _subject))
        {
            RequireLimits().Renew(Resolve(app, image), _paths.ReadRange() ?? 0);
        }

        DateTimeOffset? before = PodFiles.ReadBegun(pod.Directory, name);
        Remove(_paths.Status, Stage1Pod.ReadyName(name));

        // Its restarts are counted anew: one that was given up would be given up at once.
        Remove(_paths.Status, AppRestarts.NameOf(name));
        string unit = NspawnApp.UnitNameOf(name);
        using DirectoryChanges changes = new(_paths.Status);

        // One that announces its readiness is not waited for here: it is begun when its status says so.
        string? failure = await Control().RunAsync(["start", "--no-block", unit], cancellationToken).ConfigureAwait(false);
        long begin = time.GetTimestamp();
        while (failure is null && PodFiles.ReadBegun(pod.Directory, name) is var begun && (begun is null || begun == before))
        {
            if (time.GetElapsedTime(begin) > options.StartTimeout || !ProcessIdentity.IsAlive(firstProcess))
            {
                failure = "it was not begun in time";
            }

            await changes.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (failure is not null)
        {
            throw new LaunchException("start the app", 0, $"{_subject}: the app {name} could not be started: {failure}");
        }

        // Begun is what comes before it; then there is a process, or an end, be it one after which it waits to be started again.
        while (NspawnProcesses.OfApp(_paths, name).Count == 0 && !HasEnded(name) && time.GetElapsedTime(begin) < options.StartTimeout && ProcessIdentity.IsAlive(firstProcess))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
        }
    }

    internal async Task StopAsync(AcName name, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (!IsRunning(name))
        {
            return;
        }

        if (grace < TimeSpan.Zero)
        {
            grace = (Find(name).StopTimeout ?? options.StopTimeout) + Allowance;
        }

        if (grace > TimeSpan.Zero && await Control().RunAsync(["stop", "--no-block", NspawnApp.UnitNameOf(name)], cancellationToken).ConfigureAwait(false) is { } failure)
        {
            throw new LaunchException("stop the app", 0, $"{_subject}: the app {name} could not be stopped: {failure}");
        }

        if (!await WaitUntilEndedAsync(name, grace, cancellationToken).ConfigureAwait(false))
        {
            // Not by the systemd inside, which may be anybody's.
            await KillAsync(name, cancellationToken).ConfigureAwait(false);
            if (!await WaitUntilEndedAsync(name, Allowance, cancellationToken).ConfigureAwait(false) && IsRunning(name))
            {
                throw new LaunchException("stop the app", 0, $"{_subject}: processes of the app {name} are left", "Stop the pod.");
            }
        }
    }

    /// <summary>Takes away what there is of an app. Safe to repeat.</summary>
    internal async Task RemoveAsync(AcName name, CancellationToken cancellationToken)
    {
        string[] units = [NspawnApp.UnitNameOf(name), $"pre-start-{name}.service", $"post-stop-{name}.service", PodUnits.BegunUnitOf(name), PodRestarts.BeginUnitOf(name), PodRestarts.GivenUpUnitOf(name)];
        string[] there = [.. units.Where(u => File.Exists(Path.Combine(_paths.Units, u)))];
        string[] movers = [.. units.Select(LimitUnits.MoverOf).Where(u => File.Exists(Path.Combine(_paths.Units, u)))];
        if (there.Length > 0)
        {
            // What follows an app is waited for too. Not what a wait that is cut short has started: that would cancel its own stop, as a failure.
            string[] first = [.. there.Where(u => u != PodRestarts.GivenUpUnitOf(name))];
            if (first.Length > 0 && await Control(options.StopTimeout * 2 + Allowance).RunAsync(["stop", .. first], cancellationToken).ConfigureAwait(false) is { } failure)
            {
                throw new LaunchException("remove the app", 0, $"{_subject}: the app {name} could not be stopped: {failure}");
            }

            if (there.Contains(PodRestarts.GivenUpUnitOf(name)))
            {
                // A wait for the next start that is cut short counts as its failure, and has this one started.
                _ = await Control().RunAsync(["stop", PodRestarts.GivenUpUnitOf(name)], cancellationToken).ConfigureAwait(false);
            }

            if (movers.Length > 0)
            {
                // They stop by themselves once nobody needs them, which is waited for here: systemd does not load a unit anew that still has a
                // group of its own. Not together with the app, whose end may cancel that.
                _ = await Control().RunAsync(["stop", .. movers], cancellationToken).ConfigureAwait(false);
            }

            _ = await Control().RunAsync(["reset-failed", .. there, .. movers], cancellationToken).ConfigureAwait(false);
        }

        if (RunningLimits.Find(pod) is { } limits)
        {
            await limits.RemoveAsync(name, units, time, cancellationToken).ConfigureAwait(false);
        }

        await OnThreadAsync(
            () =>
            {
                using SafeFileHandle nspawn = OpenNspawn();
                Stage1App? app = pod.Apps.FirstOrDefault(a => a.Name == name);
                NspawnAppPlan.Unmount(pod, name.ToString(), app?.Layers.Count ?? MostLayers, app?.Runtime.Mounts.Count ?? MostVolumes, nspawn, _subject);
                TreeRemover.Remove(Path.Combine(_paths.Apps, name.ToString()));
                string[] volumes = [.. pod.Manifest.Volumes.Select(v => v.Name.ToString())];
                foreach (string volume in Directory.EnumerateDirectories(_paths.Volumes))
                {
                    if (Path.GetFileName(volume) is var own && (own.StartsWith('.') ? own == ".app-" + name : !volumes.Contains(own)))
                    {
                        TreeRemover.Remove(volume);
                    }
                }

                File.Delete(pod.StandardOutputPath(name));
                File.Delete(pod.StandardErrorPath(name));
                Remove(_paths.Status, name.ToString());
                Remove(_paths.Status, Stage1Pod.ReadyName(name));
                Remove(_paths.Status, AppRestarts.NameOf(name));
                foreach (string unit in (IEnumerable<string>)[.. units, .. units.Select(LimitUnits.MoverOf)])
                {
                    File.Delete(Path.Combine(_paths.Units, unit));
                    TreeRemover.Remove(Path.Combine(_paths.Units, unit + ".d"));
                }
            },
            cancellationToken).ConfigureAwait(false);
        if (there.Length > 0 && await Control().RunAsync(["daemon-reload"], cancellationToken).ConfigureAwait(false) is { } unread)
        {
            throw new LaunchException("remove the app", 0, $"{_subject}: the pod's systemd does not forget the app {name}: {unread}");
        }
    }

    private static Task OnThreadAsync(Action work, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(work, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Removes what a pod may have put under a name in a directory of its own.</summary>
    private static unsafe void Remove(string directory, string name)
    {
        using Fd parent = Fd.OpenDirectory(directory);
        fixed (byte* p = Fd.PathBytes(name))
        {
            _ = Libc.unlinkat(parent.Number, p, 0);
        }
    }

    private NspawnControl Control(TimeSpan? timeout = null) => new(pod, commands, timeout ?? options.StartTimeout, _subject);

    private Stage1App Find(AcName name) => pod.Apps.First(a => a.Name == name);

    private NspawnApp Resolve(Stage1App app, ImageTree image) => NspawnApp.Resolve(pod, app, image, _subject) with
    {
        MaxProcesses = options.MaxProcesses,
        AppArmorProfile = new SecurityLabels(modules, pod.Manifest).ProfileOf(app.Name),
    };

    private RunningLimits RequireLimits() => RunningLimits.Find(pod) ?? throw Refusal("the pod has no control group");

    private Stage1ProcessId RequireLeader() => PodPaths.ReadProcess(_paths.Leader) ?? throw Refusal("the pod has ended, or has not begun");

    private SafeFileHandle OpenNspawn() => PidFd.TryOpen(firstProcess.Pid, firstProcess.StartTime) ?? throw Refusal("the pod has ended");

    private string? GroupOf(AcName name) =>
        PodPaths.ReadText(_paths.CGroup) is { } group ? PodCGroup.FindUnit(group, NspawnApp.UnitNameOf(name)) : null;

    private bool HasEnded(AcName name) =>
        PodFiles.ReadStatus(pod.Directory, name) is not null || AppRestarts.Read(pod.Directory, name) is { LastLine: not null };

    private bool IsRunning(AcName name) => NspawnProcesses.InUnit(_paths, name).Count > 0;

    private async Task KillAsync(AcName name, CancellationToken cancellationToken)
    {
        if (GroupOf(name) is { } group)
        {
            bool waits = PodCGroup.IsFrozen(group);

            // What comes to record the end is spared.
            Func<int, bool?> inStage1 = NspawnProcesses.InStage1(_paths);
            try
            {
                await PodCGroup.KillEachAsync(group, p => inStage1(p) == true, Allowance, time, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (waits)
                {
                    // The app waited for its limits before it was executed. What records its end must not.
                    PodCGroup.Thaw(group);
                }
            }
        }
    }

    /// <summary>Waits until no process of an app is left and its end is recorded; false when the time was over before.</summary>
    private async Task<bool> WaitUntilEndedAsync(AcName name, TimeSpan limit, CancellationToken cancellationToken)
    {
        long begin = time.GetTimestamp();
        for (TimeSpan look = TimeSpan.FromMilliseconds(1); ; look = look * 2 < LongestLook ? look * 2 : LongestLook)
        {
            if (!IsRunning(name) && PodFiles.ReadStatus(pod.Directory, name) is not null)
            {
                return true;
            }

            if (time.GetElapsedTime(begin) >= limit || !ProcessIdentity.IsAlive(firstProcess))
            {
                return !ProcessIdentity.IsAlive(firstProcess);
            }

            await Task.Delay(look, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private LaunchException Refusal(string why, string? hint = null) => new("prepare the app", 0, $"{_subject}: {why}", hint);
}
