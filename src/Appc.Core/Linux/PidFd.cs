using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>What can be done with the descriptor of a process.</summary>
internal static unsafe class PidFd
{
    private const int NoSuchProcess = 3;

    /// <summary>
    /// Opens a process of which the number and the start time are known; null if it is gone or the number belongs
    /// to another process now.
    /// </summary>
    internal static SafeFileHandle? TryOpen(int pid, long startTime)
    {
        int descriptor = Libc.PidfdOpen(pid);
        if (descriptor < 0)
        {
            // Out of descriptors must not read as "it has ended".
            int errno = Marshal.GetLastPInvokeError();
            return errno is NoSuchProcess or Errno.EINVAL
                ? null
                : throw new ErrnoException("pidfd_open", errno);
        }

        // The number cannot pass to another process between the two looks: the descriptor was opened before the
        // second one, which says that the process with this start time still has the number.
        SafeFileHandle pidfd = new(descriptor, ownsHandle: true);
        if (ProcFs.StartTime(pid) == startTime)
        {
            return pidfd;
        }

        pidfd.Dispose();
        return null;
    }

    /// <summary>Opens a child that has not been reaped.</summary>
    internal static SafeFileHandle OpenChild(int pid)
    {
        int descriptor = Libc.PidfdOpen(pid);
        ErrnoException.ThrowIfFailed(descriptor, "pidfd_open");
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Sends a signal; false if the process is gone.</summary>
    internal static bool Signal(SafeFileHandle pidfd, int signal) =>
        Libc.PidfdSendSignal((int)pidfd.DangerousGetHandle(), signal) == 0;

    /// <summary>A copy of the first descriptor of a process of which link and file are the right ones; null if there is none.</summary>
    internal static SafeFileHandle? CopyDescriptor(SafeFileHandle pidfd, int pid, Func<string, bool> isLink, Func<Libc.Statx, bool> isFile)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd")))
            {
                if (new FileInfo(path).LinkTarget is not { } link || !isLink(link) || !int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                {
                    continue;
                }

                // By the process's own descriptor: what was read by its number may have been another's.
                int copy = Libc.PidfdGetFd((int)pidfd.DangerousGetHandle(), number);
                if (copy < 0)
                {
                    continue;
                }

                SafeFileHandle handle = new(copy, ownsHandle: true);
                if (Libc.StatFd(copy, out Libc.Statx stat) == 0 && isFile(stat))
                {
                    return handle;
                }

                handle.Dispose();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended.
        }

        return null;
    }

    /// <summary>Takes the status of a child that has ended; null if it has not, or if whoever traces it has not let it go.</summary>
    internal static ProcessEnd? TryReap(SafeFileHandle pidfd) => TryReap(pidfd, Libc.WNOHANG);

    private static ProcessEnd? TryReap(SafeFileHandle pidfd, int options)
    {
        Libc.SigInfo info = default;
        int result;
        do
        {
            result = Libc.waitid(Libc.P_PIDFD, (int)pidfd.DangerousGetHandle(), &info, Libc.WEXITED | Libc.WALL | options);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == LibC.EINTR);

        return result < 0 ? default(ProcessEnd) : info.Code switch
        {
            Libc.CLD_EXITED => new ProcessEnd(ProcessEndKind.Exited, info.Status),
            Libc.CLD_KILLED => new ProcessEnd(ProcessEndKind.Killed, info.Status),
            Libc.CLD_DUMPED => new ProcessEnd(ProcessEndKind.Dumped, info.Status),
            _ when info.Pid == 0 => null,
            _ => default(ProcessEnd),
        };
    }
}
