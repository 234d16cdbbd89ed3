using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>
/// Numbers of the system calls that launch plans are made of. The older ones differ between architectures; on an
/// architecture that is not listed, reading any of them fails, so that nothing is ever called by a wrong number.
/// </summary>
internal static class SystemCall
{
    private static readonly Architecture Machine = RuntimeInformation.ProcessArchitecture;

    internal static bool Supported => Machine is Architecture.X64 or Architecture.Arm64;

    internal static int Read => Pick(0, 63);
    internal static int Write => Pick(1, 64);
    internal static int LSeek => Pick(8, 62);
    internal static int PWrite64 => Pick(18, 68);
    internal static int Close => Pick(3, 57);
    internal static int OpenAt => Pick(257, 56);
    internal static int Dup3 => Pick(292, 24);
    internal static int Fcntl => Pick(72, 25);
    internal static int Ioctl => Pick(16, 29);
    internal static int MkdirAt => Pick(258, 34);
    internal static int UnlinkAt => Pick(263, 35);
    internal static int MknodAt => Pick(259, 33);
    internal static int ReadLinkAt => Pick(267, 78);
    internal static int SymlinkAt => Pick(266, 36);
    internal static int FchmodAt => Pick(268, 53);
    internal static int FchownAt => Pick(260, 54);
    internal static int Chdir => Pick(80, 49);
    internal static int Fchdir => Pick(81, 50);
    internal static int PivotRoot => Pick(155, 41);
    internal static int Mount => Pick(165, 40);
    internal static int Umount2 => Pick(166, 39);
    internal static int Unshare => Pick(272, 97);
    internal static int SetNs => Pick(308, 268);
    internal static int SetHostName => Pick(170, 161);
    internal static int Socket => Pick(41, 198);
    internal static int Prctl => Pick(157, 167);
    internal static int SetGroups => Pick(116, 159);
    internal static int SetResGid => Pick(119, 149);
    internal static int SetResUid => Pick(117, 147);
    internal static int CapSet => Pick(126, 91);
    internal static int Seccomp => Pick(317, 277);
    internal static int SetSid => Pick(112, 157);
    internal static int SetPgid => Pick(109, 154);
    internal static int Umask => Pick(95, 166);
    internal static int PrLimit => Pick(302, 261);
    internal static int SigAction => Pick(13, 134);
    internal static int SigProcMask => Pick(14, 135);
    internal static int Bpf => Pick(321, 280);
    internal static int Keyctl => Pick(250, 219);
    internal static int SendMsg => Pick(46, 211);
    internal static int Execve => Pick(59, 221);
    internal static int ExecveAt => Pick(322, 281);
    internal static int WaitId => Pick(247, 95);
    internal static int ExitGroup => Pick(231, 94);
    internal static int RenameAt2 => Pick(316, 276);
    internal static int MemfdCreate => Pick(319, 279);

    // From here on every architecture has the same numbers.
    internal static int PidfdSendSignal => Pick(424, 424);
    internal static int OpenTree => Pick(428, 428);
    internal static int MoveMount => Pick(429, 429);
    internal static int FsOpen => Pick(430, 430);
    internal static int FsConfig => Pick(431, 431);
    internal static int FsMount => Pick(432, 432);
    internal static int PidfdOpen => Pick(434, 434);
    internal static int Clone3 => Pick(435, 435);
    internal static int CloseRange => Pick(436, 436);
    internal static int OpenAt2 => Pick(437, 437);
    internal static int PidfdGetFd => Pick(438, 438);
    internal static int MountSetAttr => Pick(442, 442);

    private static int Pick(int x64, int arm64) => Machine switch
    {
        Architecture.X64 => x64,
        Architecture.Arm64 => arm64,
        _ => throw new PlatformNotSupportedException($"pods cannot be launched on {Machine}: only x64 and arm64 are known"),
    };
}
