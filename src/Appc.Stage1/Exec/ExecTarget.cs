using System.Globalization;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Exec;

/// <summary>A running process of an app, held so that its number cannot pass to another: what a command joins.</summary>
internal sealed class ExecTarget : IDisposable
{
    private const int Resources = 16;

    private static readonly (string Name, int Flag)[] Kinds =
    [
        ("user", LibC.CLONE_NEWUSER), ("mnt", LibC.CLONE_NEWNS), ("pid", LibC.CLONE_NEWPID), ("net", LibC.CLONE_NEWNET),
        ("ipc", LibC.CLONE_NEWIPC), ("uts", LibC.CLONE_NEWUTS), ("cgroup", LibC.CLONE_NEWCGROUP),
    ];

    private ExecTarget(SafeFileHandle pidfd) => PidFd = pidfd;

    /// <summary>The process.</summary>
    internal SafeFileHandle PidFd { get; }

    /// <summary>Its namespaces that are not this process's own: CLONE_NEW flags.</summary>
    internal int Namespaces { get; private init; }

    /// <summary>Its version 2 control group; null where it is that of this process.</summary>
    internal Fd? CGroup { get; private set; }

    /// <summary>Its version 1 control groups that are not those of this process: the files to write "0" to.</summary>
    internal IReadOnlyList<string> OtherCGroups { get; private init; } = [];

    /// <summary>Its resource limits, by number.</summary>
    internal IReadOnlyList<(int Resource, ulong Soft, ulong Hard)> Limits { get; private init; } = [];

    /// <summary>Opens a process.</summary>
    /// <param name="pid">Its id here.</param>
    /// <param name="startTime">When it was started, in clock ticks since boot.</param>
    /// <param name="subject">Whose process it is, for messages.</param>
    /// <exception cref="LaunchException">It has ended, or is frozen.</exception>
    internal static ExecTarget Open(int pid, long startTime, string subject)
    {
        SafeFileHandle pidfd = Linux.PidFd.TryOpen(pid, startTime) ?? throw Ended(subject);
        ExecTarget? target = null;
        try
        {
            (string? unified, List<string> others) = ControlGroups.Differing(pid);
            if (unified is not null && PodCGroup.IsStopped(unified))
            {
                // A command would stop with its first instruction, and nobody would know until when.
                throw new LaunchException("enter the app", 0, $"{subject}: the app is frozen", $"Let it go on first: echo 0 > {unified}{PodCGroup.FreezeFile}, or in the group above that was frozen.");
            }

            target = new ExecTarget(pidfd)
            {
                Namespaces = Kinds.Where(k => NamespaceOf(pid, k.Name) != NamespaceOf(Environment.ProcessId, k.Name)).Sum(k => k.Flag),
                OtherCGroups = others,
                Limits = [.. Enumerable.Range(0, Resources).Select(r => (r, Known: Libc.TryGetLimit(pid, r, out ulong soft, out ulong hard), soft, hard)).Where(l => l.Known).Select(l => (l.r, l.soft, l.hard))],
                CGroup = unified is null ? null : Fd.OpenDirectory(unified),
            };

            // All of this was read by the number: it counts if the process is still there now.
            return ProcFs.StartTime(pid) == startTime ? target : throw Ended(subject);
        }
        catch (Exception e)
        {
            target?.Dispose();
            pidfd.Dispose();
            throw e is IOException or UnauthorizedAccessException ? Ended(subject) : e;
        }
    }

    internal static LaunchException Ended(string subject) => new("enter the app", 3, $"{subject}: the app does not run", "Commands run in apps that have started and have not ended.");

    public void Dispose()
    {
        PidFd.Dispose();
        CGroup?.Dispose();
    }

    private static string? NamespaceOf(int pid, string kind) =>
        new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/{kind}")).LinkTarget;
}
