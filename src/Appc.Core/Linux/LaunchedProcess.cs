using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

/// <summary>A child that became its program.</summary>
/// <param name="Pid">Its id in the namespace of this process; valid until it has been reaped.</param>
/// <param name="PidFd">Its pidfd, close-on-exec. Whoever takes this record owns it.</param>
internal sealed record LaunchedProcess(int Pid, SafeFileHandle PidFd);
