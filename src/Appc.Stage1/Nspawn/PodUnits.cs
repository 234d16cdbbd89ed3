using System.Globalization;
using Appc.Manifests;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>The units of a pod: what the systemd inside reads.</summary>
internal static class PodUnits
{
    /// <summary>What process 1 starts.</summary>
    internal const string PodTarget = "pod.target";

    /// <summary>Needed by every running app; its end, when none is left, is the pod's.</summary>
    internal const string AliveTarget = "pod-alive.target";

    /// <summary>Stands for any number of units that hold a pod up together.</summary>
    internal const int Several = 2;

    // Set by systemd itself for every service; the specification names the whole environment of an app.
    private static readonly string[] VariablesOfSystemd =
        ["LANG", "INVOCATION_ID", "SYSTEMD_EXEC_PID", "HOME", "LOGNAME", "USER", "SHELL", "PATH", "TERM", "COLORTERM", "NO_COLOR", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"];

    /// <summary>The files by name.</summary>
    internal static IReadOnlyDictionary<string, string> Write(
        Stage1Pod pod, IReadOnlyList<NspawnApp> apps, NspawnSockets sockets, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject)
    {
        Dictionary<string, string> files = new(StringComparer.Ordinal);

        // Requires, not Wants: if one unit cannot be loaded, none is started and process 1 gives up.
        files[PodTarget] = new UnitText().Section("Unit")
            .Set("DefaultDependencies", "no")
            .Set("Requires", string.Join(' ', [.. NspawnMetadata.FirstUnits(pod), .. pod.Mutable ? (string[])[AliveTarget] : [], .. apps.Where(a => a.Restart is null).SelectMany(a => FirstUnitsOf(pod, a))]))

            // What requires a unit is started again with it, and would start again what it requires besides.
            .Set("Wants", string.Join(' ', [.. apps.Where(a => a.Restart is not null).SelectMany(a => FirstUnitsOf(pod, a)), .. PodLogUnits.FirstUnits(pod, host)]))
            .ToString();
        foreach ((string name, string text) in PodLogUnits.Units(pod, host))
        {
            files[name] = text;
        }

        if (NspawnReadiness.IsAnnounced(pod))
        {
            files[NspawnReadiness.BegunUnit] = NspawnReadiness.WriteBegun();
        }

        // A lone app ends the pod itself, unless something follows it.
        int count = pod.Mutable || (apps.Count == 1 && (apps[0].PostStop is not null || apps[0].Restart is not null)) ? Several : apps.Count;
        if (count > 1)
        {
            UnitText alive = new UnitText().Section("Unit").Set("DefaultDependencies", "no");
            if (!pod.Mutable)
            {
                alive.Set("StopWhenUnneeded", "yes");
            }

            files[AliveTarget] = alive.Set("SuccessAction", "exit-force").ToString();
        }

        foreach ((string name, string text) in sockets.Units(pod, count))
        {
            files[name] = text;
        }

        foreach ((string name, string text) in apps.SelectMany(a => WriteApp(pod, a, count, host, sets, stopTimeout, subject)))
        {
            files[name] = text;
        }

        return files;
    }

    /// <summary>The files of one app.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="app">The app.</param>
    /// <param name="count">How many units hold the pod up; one ends the pod itself.</param>
    /// <param name="host">What the pod uses of the host's systemd.</param>
    /// <param name="sets">Systemd's sets of system calls.</param>
    /// <param name="stopTimeout">How long an app may take to stop that has no time of its own.</param>
    /// <param name="subject">The pod, for messages.</param>
    internal static IEnumerable<(string Name, string Text)> WriteApp(
        Stage1Pod pod, NspawnApp app, int count, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject)
    {
        yield return (app.UnitName, AppUnit(pod, app, count, host, sets, stopTimeout, subject));
        if (app.PreStart is not null)
        {
            yield return (app.PreStartUnitName, PreStartUnit(pod, app, count, host, sets, stopTimeout, subject));
        }

        if (app.PostStop is not null)
        {
            yield return (app.PostStopUnitName, PostStopUnit(pod, app, host, sets, stopTimeout, subject));
        }

        foreach ((string name, string text) in PodRestarts.Units(app, PolicyOf(pod), pod.Mutable, NspawnSockets.UnitsOf(pod, app.Name)))
        {
            yield return (name, text);
        }

        if (pod.Mutable)
        {
            yield return (BegunUnitOf(app.Name), BegunUnit(app));
        }
    }

    /// <summary>The unit that marks the beginning of an app: its status is then an empty file.</summary>
    internal static string BegunUnitOf(AcName app) => $"begun-{app}.service";

    // A unit of its own and no ExecStartPre=: the first process of the app's unit is the app's.
    private static string BegunUnit(NspawnApp app) => new UnitText().Section("Unit").Set("DefaultDependencies", "no").Set("StartLimitIntervalSec", "0")
        .Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit)
        .Section("Service").Set("Type", "oneshot").Set("ExecStart", $"/usr/bin/dash /{Stage1TreeFiles.MarkScript} {app.Name}").ToString();

    private static UnitText NewUnit(Stage1Pod pod)
    {
        UnitText unit = new UnitText().Section("Unit").Set("DefaultDependencies", "no");

        // Where apps are started by hand, that is somebody's will each time, however often.
        return pod.Mutable ? unit.Set("StartLimitIntervalSec", "0") : unit;
    }

    private static void WriteBegun(UnitText unit, Stage1Pod pod, NspawnApp app)
    {
        if (pod.Mutable)
        {
            unit.Set("Requires", BegunUnitOf(app.Name)).Set("After", BegunUnitOf(app.Name));
        }
    }

    /// <summary>What is started for an app with the pod.</summary>
    private static IEnumerable<string> FirstUnitsOf(Stage1Pod pod, NspawnApp app) =>
    [
        .. NspawnSockets.UnitsOf(pod, app.Name),
        .. NspawnSockets.IsLazy(pod, app.Name) ? (string[])[] : [app.UnitName],
        .. NspawnReadiness.TypeOf(pod, app) == "notify" ? (string[])[NspawnReadiness.BegunUnit] : [],
    ];

    private static string AppUnit(Stage1Pod pod, NspawnApp app, int count, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject)
    {
        UnitText unit = NewUnit(pod);
        if (app.PreStart is not null)
        {
            unit.Set("Requires", app.PreStartUnitName).Set("After", app.PreStartUnitName);
        }
        else
        {
            WriteBegun(unit, pod, app);
        }

        if (app.PostStop is not null)
        {
            unit.Set("Wants", app.PostStopUnitName).Set("After", app.PostStopUnitName);
        }

        if (app.Restart is null)
        {
            WriteEnd(unit, PolicyOf(pod), count);
        }
        else
        {
            PodRestarts.WriteApp(unit, app);
        }

        NspawnSockets.WriteApp(unit, pod, app, count);
        unit.Section("Service")
            .Set("Type", NspawnReadiness.TypeOf(pod, app))
            .Set("RootDirectoryStartOnly", "yes")
            .SetQuoted("ExecStart", ":@", NspawnStarter.CommandLine(app, app.Command))
            .Set("ExecStopPost", $"+/usr/bin/dash /usr/lib/appc/ended {app.Name}{(app.Restart is null ? "" : " again")}");
        WriteExecution(unit, pod, app, app.Command, app.UnitName, host, sets, stopTimeout, subject, app.App.Input);
        PodRestarts.WriteService(unit, app);
        NspawnReadiness.WriteApp(unit, pod, app);
        return unit.ToString();
    }

    /// <summary>What is run before the app; if it fails, it has ended in the place of the app, which does not start.</summary>
    private static string PreStartUnit(Stage1Pod pod, NspawnApp app, int count, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject)
    {
        UnitText unit = NewUnit(pod);
        WriteBegun(unit, pod, app);
        if (app.Restart is null)
        {
            WriteFailure(unit, PolicyOf(pod), count);
        }
        else
        {
            PodRestarts.WritePreStart(unit, app);
        }

        unit.Section("Service")
            .Set("Type", "oneshot")
            .Set("RootDirectoryStartOnly", "yes")
            .SetQuoted("ExecStart", ":@", NspawnStarter.CommandLine(app, app.PreStart!))
            .Set("ExecStopPost", $"+/usr/bin/dash /usr/lib/appc/not-started {app.Name}");
        WriteExecution(unit, pod, app, app.PreStart!, app.PreStartUnitName, host, sets, stopTimeout, subject);
        return unit.ToString();
    }

    /// <summary>What is run after the app, however it ended: this unit is active for as long as the app needs it.</summary>
    private static string PostStopUnit(Stage1Pod pod, NspawnApp app, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject)
    {
        UnitText unit = NewUnit(pod)
            .Set("StopWhenUnneeded", "yes")
            .Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit)
            .Set("Wants", AliveTarget).Set("After", AliveTarget);
        PodRestarts.WritePostStop(unit, app);
        if (app.PreStart is not null)
        {
            // What was never begun has nothing to follow it.
            unit.Set("Requires", app.PreStartUnitName).Set("After", app.PreStartUnitName);
        }

        unit.Section("Service")
            .Set("Type", "oneshot")
            .Set("RemainAfterExit", "yes")
            .SetQuoted("ExecStop", ":@", NspawnStarter.CommandLine(app, app.PostStop!));
        WriteExecution(unit, pod, app, app.PostStop!, app.PostStopUnitName, host, sets, stopTimeout, subject);

        // Of this unit, which has always succeeded; not of the app.
        unit.Set("UnsetEnvironment", string.Join(' ', NspawnApp.VariablesOfTheEnd));
        return unit.ToString();
    }

    /// <summary>How a process of the app is executed: the app's own, and its handlers'.</summary>
    private static void WriteExecution(
        UnitText unit, Stage1Pod pod, NspawnApp app, NspawnHandler command, string name, NspawnHostServices host, Lazy<SystemCallSets> sets, TimeSpan stopTimeout, string subject, AppInput input = AppInput.None)
    {
        unit.Set("Restart", "no")
            .Set("RootDirectory", app.RootDirectory)
            .Set("MountAPIVFS", "yes")
            .Set("KillMode", "mixed")
            .Set("IgnoreSIGPIPE", "no")
            .Set("KillSignal", app.App.StopSignal.ToString(CultureInfo.InvariantCulture))
            .Set("TimeoutStopSec", string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling((app.App.StopTimeout ?? stopTimeout).TotalMilliseconds)}ms"))
            .Set("TimeoutStartSec", "infinity")
            .Set("LimitCORE", "0:infinity")
            .Set("LimitNPROC", app.MaxProcesses.ToString(CultureInfo.InvariantCulture))
            .Set("WorkingDirectory", "-" + UnitText.PlainPath(app.WorkingDirectory, "working directory", subject))
            .Set("OOMScoreAdjust", app.OomScoreAdjustment.ToString(CultureInfo.InvariantCulture));
        foreach (ProcessLimit limit in ProcessLimit.Of(app.App.Runtime, subject))
        {
            unit.Set("Limit" + limit.Name.ToUpperInvariant(), limit.ToString());
        }

        NspawnStreams.Write(unit, app, input, host);
        foreach (string entry in app.ShownRunContents)
        {
            unit.Set("BindPaths", $"{UnitText.PairWord($"{app.RunDirectory}/{entry}")}:{UnitText.PairWord($"/run/{entry}")}");
        }

        NspawnStarter.Write(unit, app, command, name);
        unit.Set("UnsetEnvironment", string.Join(' ', VariablesOfSystemd.Where(v => !app.Environment.ContainsKey(v))));
        WriteUser(unit, app);
        WriteIsolation(unit, pod, app, sets);
        foreach ((string source, string target) in NspawnVolumes.MountedInside(app))
        {
            unit.Set("BindPaths", $"{source}:{UnitText.PlainWord(target, "path of a volume", subject)}");
        }
    }

    /// <summary>No app ends a pod whose apps come and go.</summary>
    private static PodExitPolicy PolicyOf(Stage1Pod pod) => pod.Mutable ? PodExitPolicy.LastExit : pod.Options.ExitPolicy;

    private static void WriteEnd(UnitText unit, PodExitPolicy policy, int count)
    {
        WriteFailure(unit, policy, count);
        if (count == 1)
        {
            unit.Set("SuccessAction", "exit-force");
        }
        else if (policy == PodExitPolicy.AnyExit)
        {
            unit.Set("OnSuccess", Stage1TreeFiles.EndUnit).Set("OnSuccessJobMode", "replace-irreversibly");
        }
    }

    private static void WriteFailure(UnitText unit, PodExitPolicy policy, int count)
    {
        unit.Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit);
        if (count == 1)
        {
            unit.Set("FailureAction", "exit-force");
            return;
        }

        unit.Set("Wants", AliveTarget).Set("After", AliveTarget);
        if (policy is PodExitPolicy.FirstFailure or PodExitPolicy.AnyExit)
        {
            unit.Set("OnFailure", Stage1TreeFiles.EndUnit).Set("OnFailureJobMode", "replace-irreversibly");
        }
    }

    private static void WriteUser(UnitText unit, NspawnApp app)
    {
        AppUser user = app.User;
        if (user.Uid != 0 || user.Gid != 0 || user.Groups.Count > 0)
        {
            unit.Set("User", PodAccounts.UserName(user.Uid)).Set("Group", PodAccounts.GroupName(user.Gid));
            if (user.Groups.Count > 0)
            {
                unit.Set("SupplementaryGroups", string.Join(' ', user.Groups.Distinct().Select(PodAccounts.GroupName)));
            }
        }
    }

    private static void WriteIsolation(UnitText unit, Stage1Pod pod, NspawnApp app, Lazy<SystemCallSets> sets)
    {
        if (!pod.Options.KeepAllCapabilities)
        {
            // An empty value would mean "all" after an earlier one; a lone "~" complement of all is none.
            string names = string.Join(' ', app.Capabilities.Names);
            unit.Set("CapabilityBoundingSet", names);
            if (app.User.Uid != 0 && app.CapabilitiesRetained)
            {
                unit.Set("AmbientCapabilities", names);
            }
        }

        if (app.GainsNoPrivileges(app.User))
        {
            unit.Set("NoNewPrivileges", "yes");
        }

        if (app.AppArmorProfile is { } profile)
        {
            // Not for the whole pod at its launch: nspawn and systemd need what a profile for apps forbids.
            unit.Set("AppArmorProfile", profile);
        }

        WriteFilter(unit, app.Filter, sets);
        List<string> binds = [.. AppDevices.Binds(app)];
        if (!pod.Options.KeepKernelPaths)
        {
            KernelPaths paths = KernelPaths.For(pod.Options.PrivateUsers);

            // The plus means "in the app's root": without it the path is one of the stage1 tree, and nothing is protected.
            unit.Set("ReadOnlyPaths", string.Join(' ', paths.ReadOnly.Select(p => "-+" + p)));
            binds.AddRange(paths.Covers);
            if (paths.Hidden.Count > 0)
            {
                unit.Set("InaccessiblePaths", string.Join(' ', paths.Hidden.Select(p => "-+" + p)));
            }
        }

        if (binds.Count > 0)
        {
            unit.Set("BindPaths", string.Join(' ', binds));
        }
    }

    private static void WriteFilter(UnitText unit, SystemCallFilter? filter, Lazy<SystemCallSets> sets)
    {
        if (filter is null)
        {
            return;
        }

        unit.Set("SystemCallArchitectures", "native");
        string? error = filter.ErrorName;
        if (filter.Limit is null)
        {
            // An empty list would mean no filter: "@default" is what systemd adds to every list of allowed calls.
            unit.Set("SystemCallFilter", "@default " + string.Join(' ', filter.Calls));
            unit.Set("SystemCallFilter", "~" + string.Join(' ', filter.Without));
        }
        else
        {
            SystemCallRules rules = filter.Resolve(sets.Value);
            error = rules.OtherError;
            unit.Set("SystemCallFilter", string.Join(' ', rules.Allowed.Order(StringComparer.Ordinal)));
            if (rules.Denied.Count > 0 && rules.DeniedError != error)
            {
                // Those with the error of all others are among them already, and libseccomp takes no rule that says so once more.
                unit.Set("SystemCallFilter", "~" + string.Join(' ', rules.Denied.Order(StringComparer.Ordinal).Select(c => $"{c}:{rules.DeniedError ?? "kill"}")));
            }
        }

        if (error is not null)
        {
            unit.Set("SystemCallErrorNumber", error);
        }

        if (filter.RestrictFamilies)
        {
            unit.Set("RestrictAddressFamilies", string.Join(' ', SocketFamilies.Allowed.Select(f => f.Name)));
        }

        if (filter.DenyNamespaces)
        {
            unit.Set("RestrictNamespaces", "yes");
        }
    }
}
