using Appc.Linux;
using Appc.Stage1.Isolation;
using Appc.Stage1.Volumes;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Mounts and unmounts the root of an app in a running pod. A child joins the mount namespace in which systemd-nspawn runs,
/// which is out of the pod's reach; the directory of the apps is shared from there with the pod, so that what appears in it
/// appears there too, and goes with it.
/// </summary>
internal static class NspawnAppPlan
{
    private const string Scratch = NspawnPlan.Scratch;

    /// <summary>Mounts the root: put together out of the pod's sight, and then moved to its place in one step.</summary>
    internal static void Mount(Stage1Pod pod, NspawnApp app, ImageTree image, IdMap ids, SecurityLabels labels, SafeFileHandle nspawn, string subject)
    {
        using LaunchPlan plan = new(subject, 0);
        NspawnAppMounts mounts = new(plan, pod, ids, labels, NspawnPlan.HostNameOf(pod));
        Begin(plan, pod, nspawn, ids.Descriptor);
        plan.SetUmask(0x12);
        NspawnAppMounts.Taken taken = mounts.Take(app, image);
        Enter(plan, nspawn);
        string step = $"show the root of the app {app.Name}";
        string target = $"{Scratch}/apps/{app.Name}/rootfs";
        string staging = $"{Scratch}/layers/{app.Name}/staging/rootfs";
        taken.Attach(staging);
        plan.MakeDirectory(step, Path.GetDirectoryName(target)!, 0x1ed);
        plan.MakeDirectory(step, target, 0x1ed);
        plan.Move(step, staging, target);
        taken.ShowRun(target);
        Run(plan, subject, app.Mounts);
    }

    /// <summary>Unmounts what there is of the root. Safe to repeat.</summary>
    internal static void Unmount(Stage1Pod pod, string app, int layers, int volumes, SafeFileHandle nspawn, string subject)
    {
        using LaunchPlan plan = new(subject, 0);
        Begin(plan, pod, nspawn);
        Enter(plan, nspawn);
        string step = $"unmount the root of the app {app}";
        string own = $"{Scratch}/layers/{app}";
        for (int i = 0; i < volumes; i++)
        {
            string path = NspawnVolumes.PathBeside(Scratch + "/apps", app, i);
            plan.Unmount(step, path, tolerated: -1);
            plan.RemoveDirectory(step, path);
            plan.Call(step, SystemCall.UnlinkAt, LibC.AT_FDCWD, plan.Text(path), tolerated: -1);
        }

        foreach (string mounted in (string[])[NspawnAppMounts.RunOf(app), $"{Scratch}/apps/{app}/rootfs", $"{own}/staging/rootfs", .. Enumerable.Range(0, layers).Select(i => $"{own}/{i}")])
        {
            plan.Unmount(step, mounted, tolerated: -1);
            plan.RemoveDirectory(step, mounted);
        }

        foreach (string directory in (string[])[$"{Scratch}/apps/{app}/volumes", $"{Scratch}/apps/{app}", $"{own}/staging", own])
        {
            plan.RemoveDirectory(step, directory);
        }

        Run(plan, subject, []);
    }

    /// <summary>The child keeps the lock of the pod's apps for as long as it works, also without this program.</summary>
    private static void Begin(LaunchPlan plan, Stage1Pod pod, SafeFileHandle nspawn, int more = 0) =>
        plan.CloseAllBut([(int)nspawn.DangerousGetHandle(), pod.LockDescriptor, .. more > 0 ? (int[])[more] : []]);

    private static void Enter(LaunchPlan plan, SafeFileHandle nspawn)
    {
        plan.EnterNamespace("enter the mounts of the pod", (int)nspawn.DangerousGetHandle(), LibC.CLONE_NEWNS);
        plan.ChangeDirectory("change directory", Scratch);
    }

    private static void Run(LaunchPlan plan, string subject, IReadOnlyList<AppMount> mounts)
    {
        try
        {
            LaunchPlan.Reap(plan.StartEnded().PidFd);
        }
        catch (LaunchException e)
        {
            throw NspawnPlan.Explain(e, subject, mounts);
        }
    }
}
