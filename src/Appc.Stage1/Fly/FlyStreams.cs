using System.Globalization;
using System.Runtime.InteropServices;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Isolation;
using Appc.Stage1.Streams;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Fly;

/// <summary>
/// The standard input of a fly pod's app. The app is the pod's only process, so it is the one that keeps its input open: not by a
/// descriptor of the input, but by a socket in whose queue that lies (<see cref="HeldInput"/>).
/// </summary>
internal sealed class FlyStreams : IDisposable
{
    /// <summary>The number under which the app has the socket: beside that of the pod's lock.</summary>
    internal const int HeldNumber = FlyPlan.LockDescriptor - 1;

    private readonly InputStreamFile? _stream;
    private readonly HeldInput? _terminal;

    private FlyStreams(InputStreamFile? stream, HeldInput? terminal)
    {
        _stream = stream;
        _terminal = terminal;
        Numbers = stream is not null ? [Number(stream.Held.Socket), Number(stream.Reader)]
            : terminal is not null ? [Number(terminal.Socket), Number(terminal.Sender)]
            : [];
    }

    /// <summary>
    /// Numbers of the descriptors that the launch needs: that which the app inherits, and what it reads from, or the
    /// socket to send the terminal to.
    /// </summary>
    internal IReadOnlyList<int> Numbers { get; private init; }

    /// <summary>What the app inherits beside its streams and the lock.</summary>
    internal IEnumerable<(LaunchArgument, int)> Passed => Numbers.Count == 0 ? [] : [(Numbers[0], HeldNumber)];

    /// <summary>The same where the descriptors have numbers from this one on. It owns nothing.</summary>
    internal FlyStreams WithNumbers(int first) => new(_stream, _terminal) { Numbers = [.. Numbers.Select((_, i) => first + i)] };

    /// <summary>Makes what the app's input needs.</summary>
    internal static FlyStreams Prepare(Stage1Pod pod, AppUser user)
    {
        Stage1App app = pod.Apps[0];
        switch (app.Input)
        {
            case AppInput.Stream:
                MakeDirectory(pod);
                return new FlyStreams(InputStreamFile.Make(InputPath(pod, app.Name), RecordPath(pod, app.Name), user.Uid, user.Gid), null);
            case AppInput.Terminal:
                MakeDirectory(pod);
                HeldInput held = HeldInput.Make();
                File.WriteAllText(RecordPath(pod, app.Name), held.Inode.ToString(CultureInfo.InvariantCulture));
                return new FlyStreams(null, held);
            default:
                return new FlyStreams(null, null);
        }
    }

    /// <summary>The FIFO of an app.</summary>
    internal static string InputPath(Stage1Pod pod, AcName app) => Path.Combine(DirectoryOf(pod), app + ".in");

    /// <summary>Where the hold of an app's input is recorded.</summary>
    internal static string RecordPath(Stage1Pod pod, AcName app) => Path.Combine(DirectoryOf(pod), app + ".held");

    /// <summary>By this file's lock it is decided who moves the output of a terminal to the log.</summary>
    internal static string TurnPath(Stage1Pod pod, AcName app) => Path.Combine(DirectoryOf(pod), app + ".turn");

    /// <summary>What the app reads from, while the host's root is there.</summary>
    internal LaunchArgument Open(LaunchPlan plan) =>
        _stream is null ? plan.Open("open /dev/null", "/dev/null", Libc.O_RDONLY) : Numbers[1];

    /// <summary>
    /// Makes a terminal among those of the app's root, so that it has a name there, and sends this side of it away.
    /// </summary>
    /// <param name="plan">The plan.</param>
    /// <param name="user">The app's user.</param>
    /// <param name="number">A free number for this side.</param>
    /// <returns>The app's side.</returns>
    internal LaunchArgument MakeTerminal(LaunchPlan plan, AppUser user, int number)
    {
        const string Step = "make a terminal";
        plan.OpenAs(Step, "/dev/pts/ptmx", LibC.O_RDWR | LibC.O_NOCTTY, number);
        plan.Call(Step, SystemCall.Ioctl, number, Terminal.TIOCSPTLCK, plan.Bytes(new byte[sizeof(int)]));
        plan.Call(Step, SystemCall.Ioctl, number, Terminal.TIOCSWINSZ, plan.Bytes(MemoryMarshal.AsBytes((ReadOnlySpan<ushort>)[24, 80, 0, 0])));

        // The first one of a new instance of devpts.
        LaunchArgument side = plan.Open(Step, "/dev/pts/0", LibC.O_RDWR | LibC.O_NOCTTY);
        plan.ChangeOwner(Step, "/dev/pts/0", user.Uid, uint.MaxValue);
        HeldInput.Send(plan, Step, Numbers[1], number);
        return side;
    }

    /// <summary>This side of the terminal, once the app has been started; null without one.</summary>
    internal SafeFileHandle? TakeTerminal() => _terminal is null ? null : HeldInput.Peek(_terminal.Socket);

    public void Dispose()
    {
        _stream?.Dispose();
        _terminal?.Dispose();
    }

    private static string DirectoryOf(Stage1Pod pod) => Path.Combine(pod.Directory, "stage1", "streams");

    private static void MakeDirectory(Stage1Pod pod)
    {
        // The app's root will be mounted over the directory above, which only root may enter.
        Nspawn.PodFilesWriter.MakePrivate(Path.Combine(pod.Directory, "stage1"));
        Directory.CreateDirectory(DirectoryOf(pod));
    }

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}
