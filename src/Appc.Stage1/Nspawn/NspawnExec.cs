using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

/// <summary>Finds out what a command in a running app must join, and what isolates it beyond that.</summary>
internal sealed class NspawnExec(Stage1Pod pod, AcName name, Stage1Command command, HeldTree tree, SecurityLabels labels)
{
    private readonly string _subject = $"pod {pod.Uuid}: a command in the app {name}";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The app's first process; one that is just being started is waited for.</summary>
    /// <exception cref="LaunchException">The app does not run.</exception>
    internal async Task<ExecTarget> FindTargetAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        long begin = time.GetTimestamp();
        while (NspawnProcesses.AreStarting(new PodPaths(pod), name) && time.GetElapsedTime(begin) < Patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
        }

        return FindTarget();
    }

    /// <summary>The app's first process, in the control group that the systemd inside made for it.</summary>
    private ExecTarget FindTarget()
    {
        (int Pid, long Started)? first = null;
        foreach (int pid in NspawnProcesses.OfApp(new PodPaths(pod), name))
        {
            if (ProcFs.StartTime(pid) is { } started && (first is null || started < first.Value.Started || (started == first.Value.Started && pid < first.Value.Pid)))
            {
                first = (pid, started);
            }
        }

        return first is { } found ? ExecTarget.Open(found.Pid, found.Started, _subject) : throw ExecTarget.Ended(_subject);
    }

    /// <summary>The command with what the app's manifest and image say about it, which no process of the pod can change.</summary>
    internal ExecRequest Describe()
    {
        Stage1App stage1App = pod.Apps.First(a => a.Name == name);
        using ImageTree image = new(stage1App.Layers, _subject);
        NspawnApp app = NspawnApp.Resolve(pod, stage1App, image, _subject);
        AppUser user = command.AsRoot ? AppUser.Root : app.User;
        uint firstId = new PodPaths(pod).ReadRange() ?? 0;
        return new ExecRequest
        {
            Subject = _subject,
            Command = command,
            // The group of users is among their supplementary ones, as initgroups(3) has it.
            User = user.Gid == 0 ? user : user with { Groups = [.. user.Groups, user.Gid] },
            Environment = ExecRequest.MergeEnvironment(pod, stage1App, user, command),
            WorkingDirectory = ExecRequest.DirectoryOf(stage1App, command),
            Capabilities = app.Capabilities,
            CapabilitiesRetained = app.CapabilitiesRetained,
            NoNewPrivileges = app.GainsNoPrivileges(user),
            LastCapability = Capability.OfThisKernel(),
            Filters = Filters(app),

            // An app that has opted out has the filter of systemd-nspawn, which came before all else.
            FiltersFirst = app.Filter is null,
            OomScoreAdjustment = app.OomScoreAdjustment,
            Labels = labels.BeforeExecution(name),
            HostUid = firstId + user.Uid,
        };
    }

    private List<byte[]> Filters(NspawnApp app)
    {
        if (pod.Options.NoSeccomp)
        {
            return [];
        }

        SystemCallRules rules = (app.Filter ?? SystemCallFilter.WidestFor(app.Capabilities)).Resolve(tree.SystemCallSets());
        byte[] own = SystemCallProgram.Build(rules);

        // The app's own filter comes last: it may deny the call by which filters are installed.
        return SystemCallProgram.BuildRestrictions(rules) is { } restrictions ? [restrictions, own] : [own];
    }
}
