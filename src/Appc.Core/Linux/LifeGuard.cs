using Appc.Stage1;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>
/// Ties the life of a process to that of this program: a guard, a process of some pages beside this one, waits for the
/// end of a pipe that only this program holds, and then kills the process. However this program ends, the kernel
/// closes the pipe.
/// </summary>
/// <remarks>
/// Not by the signal that the kernel sends at the death of a parent: it goes by threads, which come and go here, and
/// the process can turn it off. Nothing that is guarded can reach the guard. The process executes nothing before
/// its guard is there, so that no moment is uncovered.
/// </remarks>
internal sealed unsafe class LifeGuard : IDisposable
{
    private const string Step = "wait for the guard";

    private readonly string _subject;
    private readonly Fd? _group;
    private readonly Pipe _life = Pipe.Make();
    private readonly Pipe _begun = Pipe.Make();
    private readonly Pipe _answer = Pipe.Make();
    private LaunchedProcess? _guard;
    private Exception? _failure;
    private bool _watching;

    /// <summary>Makes what is needed to guard one process.</summary>
    /// <param name="subject">What is guarded, for messages: <c>pod 4fe2…</c>.</param>
    /// <param name="controlGroup">A version 2 control group that dies with the process; null for none.</param>
    /// <exception cref="LaunchException">The kernel cannot kill a control group.</exception>
    internal LifeGuard(string subject, string? controlGroup = null)
    {
        _subject = subject;
        if (controlGroup is null)
        {
            return;
        }

        fixed (byte* path = Fd.PathBytes(controlGroup + "/cgroup.kill"))
        {
            int file = Libc.openat(Libc.AT_FDCWD, path, Libc.O_WRONLY | Libc.O_CLOEXEC, 0);
            _group = file >= 0 ? Fd.Own(file, "open cgroup.kill") : throw new LaunchException(
                "open cgroup.kill", Errno.Last, $"{subject}: a pod of this flavour can end with its host only where the kernel can kill a control group: {Errno.Describe(Errno.Last)}", "Linux 5.14 and newer can.");
        }
    }

    /// <summary>Descriptors that the process needs until <see cref="Join"/>.</summary>
    internal IEnumerable<int> Descriptors => [(int)_begun.Writer.DangerousGetHandle(), (int)_answer.Reader.DangerousGetHandle()];

    /// <summary>Adds the steps in which the process waits for its guard. Before anything that moves descriptors.</summary>
    internal void Join(LaunchPlan plan)
    {
        int begun = (int)_begun.Writer.DangerousGetHandle();
        int answer = (int)_answer.Reader.DangerousGetHandle();
        plan.Call(Step, SystemCall.Write, begun, plan.Bytes([1]), 1);

        // The answer is the number of a descriptor that is open. Without one, since this program has ended, the step
        // after it fails, and with it the launch.
        nint cell = plan.Bytes(BitConverter.GetBytes((long)-1));
        plan.Call(Step, SystemCall.Read, answer, cell, sizeof(nint));
        plan.Call(Step, SystemCall.Fcntl, LaunchArgument.FromCell((nint*)cell), Libc.F_GETFD);
        plan.Close(Step, begun);
        plan.Close(Step, answer);
    }

    /// <summary>Starts the plan, into which the guard was joined, and its guard.</summary>
    /// <exception cref="LaunchException">A step failed; neither is left.</exception>
    internal LaunchedProcess Start(LaunchPlan plan)
    {
        // The plan keeps its thread until the process executes, which it does not before it is guarded.
        Thread helper = new(() => Answer(plan), 256 * 1024) { IsBackground = true, Name = "appc guard" };
        helper.UnsafeStart();
        try
        {
            LaunchedProcess process = plan.Start();
            Finish(helper);
            return process;
        }
        catch (LaunchException e)
        {
            Finish(helper);
            Release();
            throw e.Step == Step && _failure is LaunchException cause ? cause : e;
        }
        catch
        {
            Finish(helper);
            Release();
            throw;
        }
    }

    /// <summary>Lets the guard go when the guarded process has ended.</summary>
    internal void ReleaseAfter(Task end, ProcessReaper reaper)
    {
        _watching = true;
        if (_guard is { } guard)
        {
            _guard = null;
            _ = reaper.Adopt(guard, out _);
        }

        _ = end.ContinueWith(
            static (_, state) => ((LifeGuard)state!)._life.Dispose(), this,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Gives up a guard that is not released by the end of its process: kills both.</summary>
    public void Dispose()
    {
        _group?.Dispose();
        _begun.Dispose();
        _answer.Dispose();
        if (!_watching)
        {
            Release();
        }
    }

    private void Answer(LaunchPlan plan)
    {
        try
        {
            byte message;
            nint length;
            while ((length = (nint)LibC.read((int)_begun.Reader.DangerousGetHandle(), &message, 1)) < 0 && LibC.errno == LibC.EINTR)
            {
            }

            if (length == 1)
            {
                _guard = StartGuard(plan.ChildDescriptor);
                long open = (int)_answer.Reader.DangerousGetHandle();
                _ = LibC.write((int)_answer.Writer.DangerousGetHandle(), &open, sizeof(long));
            }
        }
        catch (Exception e) when (e is AppcException or IOException or InvalidOperationException or OutOfMemoryException)
        {
            _failure = e;
        }
        finally
        {
            _answer.Writer.Dispose();
        }
    }

    private LaunchedProcess StartGuard(int process)
    {
        const int Life = 0;
        const int Process = 1;
        const int Group = 2;
        List<int> passed = [(int)_life.Reader.DangerousGetHandle(), process];
        if (_group is not null)
        {
            passed.Add(_group.Number);
        }

        using LaunchPlan guard = new($"{_subject}: its guard", 0, new LaunchArena());
        guard.ForbidTracing();
        guard.Fork("make the guard");
        guard.BeginSession(terminal: false);
        guard.ChangeDirectory("leave the directory", "/");
        guard.CloseAllBut(passed.Select((_, i) => LaunchPlan.PassedDescriptor(i)));
        guard.Call("wait for the end of the host", SystemCall.Read, LaunchPlan.PassedDescriptor(Life), guard.Bytes(new byte[8]), 1, tolerated: -1);
        if (_group is not null)
        {
            guard.Call("kill", SystemCall.Write, LaunchPlan.PassedDescriptor(Group), guard.Bytes("1"u8), 1, tolerated: -1);
        }

        guard.Call("kill", SystemCall.PidfdSendSignal, LaunchPlan.PassedDescriptor(Process), LibC.SIGKILL, tolerated: -1);
        return guard.StartProgram([], passed, CancellationToken.None);
    }

    private void Finish(Thread helper)
    {
        // If the process never came to its first step, this is what the helper waits for.
        _begun.Writer.Dispose();
        helper.Join();
        _life.Reader.Dispose();
    }

    private void Release()
    {
        _life.Dispose();
        if (_guard is { } guard)
        {
            _guard = null;
            LaunchPlan.KillAndReap(guard);
        }
    }
}
