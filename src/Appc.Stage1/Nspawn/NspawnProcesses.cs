using System.Globalization;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>The processes in the control group of an app's unit.</summary>
internal static class NspawnProcesses
{
    /// <summary>Those in the app's root: neither what systemd is about to make the app, nor what it runs before and after it.</summary>
    internal static IReadOnlyList<int> OfApp(PodPaths paths, AcName app)
    {
        Libc.Statx? stage1 = RootOf(PodPaths.ReadProcess(paths.Leader)?.Pid);
        return [.. InUnit(paths, app).Where(p => RootOf(p) is { } root && !(stage1 is { } own && root.IsSameFile(own)))];
    }

    /// <summary>Whether there are processes in the unit, none of them in the app's root.</summary>
    internal static bool AreStarting(PodPaths paths, AcName app) => InUnit(paths, app).Count > 0 && OfApp(paths, app).Count == 0;

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<int> InUnit(PodPaths paths, AcName app) =>
        PodPaths.ReadText(paths.CGroup) is { } pod && PodCGroup.FindUnit(pod, NspawnApp.UnitNameOf(app)) is { } group ? PodCGroup.Processes(group) : [];

    private static unsafe Libc.Statx? RootOf(int? pid)
    {
        if (pid is null)
        {
            return null;
        }

        fixed (byte* p = Fd.PathBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/root")))
        {
            // A pod can make its own file systems slow: what the kernel knows already is enough.
            const int AT_STATX_DONT_SYNC = 0x4000;
            return Libc.StatAt(Libc.AT_FDCWD, p, AT_STATX_DONT_SYNC, out Libc.Statx stat) == 0 ? stat : null;
        }
    }
}
