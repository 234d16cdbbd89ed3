using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>The processes in the control group of an app's unit.</summary>
internal static class NspawnProcesses
{
    /// <summary>Those in the app's root: neither what systemd is about to make the app, nor what it runs before and after it.</summary>
    internal static IReadOnlyList<int> OfApp(PodPaths paths, AcName app)
    {
        Func<int, bool?> inStage1 = InStage1(paths);
        return [.. InUnit(paths, app).Where(p => inStage1(p) == false)];
    }

    /// <summary>Whether a process has the root of the pod's systemd, as no process of an app that was executed has; null if it has ended.</summary>
    internal static Func<int, bool?> InStage1(PodPaths paths)
    {
        Libc.Statx? stage1 = PodPaths.ReadProcess(paths.Leader) is { } leader ? ProcFs.RootOf(leader.Pid) : null;
        return p => ProcFs.RootOf(p) is { } root ? stage1 is { } own && root.IsSameFile(own) : null;
    }

    /// <summary>Whether there are processes in the unit, none of them in the app's root.</summary>
    internal static bool AreStarting(PodPaths paths, AcName app) => InUnit(paths, app).Count > 0 && OfApp(paths, app).Count == 0;

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<int> InUnit(PodPaths paths, AcName app) =>
        PodPaths.ReadText(paths.CGroup) is { } pod && PodCGroup.FindUnit(pod, NspawnApp.UnitNameOf(app)) is { } group ? PodCGroup.Processes(group) : [];
}
