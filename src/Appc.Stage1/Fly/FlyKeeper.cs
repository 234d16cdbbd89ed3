using Appc.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// The process of a fly pod that records the app's end (<see cref="Stage1Options.RecordsOwnEnd"/>): the app's parent, in none
/// of the pod's namespaces, so that nothing in the pod can see, signal or trace it. It consists of system calls that were
/// prepared when the pod was started, and of a few pages of memory.
/// </summary>
internal static class FlyKeeper
{
    private const int StatusDirectory = 60;

    /// <summary>The descriptors that it is started with.</summary>
    internal static IReadOnlyList<int> Passed(Stage1Pod pod, FlySockets sockets, FlyStreams streams) =>
        [.. pod.LockDescriptor >= 0 ? (int[])[pod.LockDescriptor] : [], .. sockets.Descriptors, .. streams.Numbers];

    /// <summary>Number of the pod's lock in it.</summary>
    internal static int Lock(Stage1Pod pod) => pod.LockDescriptor >= 0 ? LaunchPlan.PassedDescriptor(0) : -1;

    /// <summary>Numbers of the sockets in it.</summary>
    internal static IReadOnlyList<int> Numbered(FlySockets sockets) =>
        [.. sockets.Descriptors.Select((_, i) => LaunchPlan.PassedDescriptor(sockets.HasLock ? i + 1 : i))];

    /// <summary>The input of the app with its numbers in it.</summary>
    internal static FlyStreams Numbered(FlySockets sockets, FlyStreams streams) =>
        streams.WithNumbers(LaunchPlan.PassedDescriptor(sockets.Descriptors.Count + (sockets.HasLock ? 1 : 0)));

    /// <summary>Writes its steps.</summary>
    /// <param name="plan">An empty plan with an arena.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="namespaces">Those that the app is born into.</param>
    /// <param name="writeApp">Writes the app's steps.</param>
    internal static void Write(LaunchPlan plan, Stage1Pod pod, ulong namespaces, Action writeApp)
    {
        // It must live as long as the app, whoever ends the service or the session in which it was started.
        plan.BlockSignals();
        plan.LeaveTerminal();
        plan.ChangeDirectory("leave the directory", "/");
        plan.SetUmask(0x12); // 022
        string status = pod.StatusPath(pod.Apps[0].Name);
        plan.OpenAs("open the status directory", Path.GetDirectoryName(status)!, Tmds.Linux.LibC.O_RDONLY | Tmds.Linux.LibC.O_DIRECTORY, StatusDirectory);
        LaunchArgument app = plan.ForkInto("make a process in new namespaces", namespaces);
        writeApp();

        plan.BeginParent();
        plan.ReportChild(app);
        plan.CloseAllBut(Lock(pod), StatusDirectory);
        plan.RecordEnd(StatusDirectory, Path.GetFileName(status), FlyStage1.Describe);
    }
}
