using Appc.Linux;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>Makes of a <see cref="SystemCallFilter"/> the program that systemd makes of the same words.</summary>
internal static unsafe class SystemCallProgram
{
    private const int NoSuchCall = 38;
    private const int NoSuchFamily = 97;
    private const int LargestErrno = 134;

    // CLONE_NEW* of user, pid, net, ipc, uts, mount, cgroup and time namespaces.
    private static readonly ulong[] Namespaces = [0x10000000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x00020000, 0x02000000];

    /// <summary>The instructions, 8 bytes each.</summary>
    /// <exception cref="LaunchException">The library that makes them is missing or fails.</exception>
    internal static byte[] Build(SystemCallRules rules)
    {
        uint other = ActionOf(rules.OtherError);
        List<(uint, IEnumerable<string>)> calls = [(Libseccomp.Allow, rules.Allowed), (ActionOf(rules.DeniedError), rules.Denied)];
        if (rules.Known is not { } known)
        {
            return Write(other, calls, null);
        }

        calls.Add((other, known.Except(rules.Allowed).Except(rules.Denied)));
        return Write(Libseccomp.Error(NoSuchCall), calls, null);
    }

    /// <summary>The program that denies by arguments, new namespaces and families of sockets, to be installed beside the other; null for none.</summary>
    internal static byte[]? BuildRestrictions(SystemCallRules rules) => rules.DenyNamespaces || rules.RestrictFamilies
        ? Write(Libseccomp.Allow, [], rules)
        : null;

    private static byte[] Write(uint otherwise, IEnumerable<(uint Action, IEnumerable<string> Calls)> rules, SystemCallRules? restrictions)
    {
        if (!Libseccomp.IsAvailable)
        {
            throw Failure("libseccomp.so.2 was not found", "Install it: apt-get install libseccomp2");
        }

        nint context = Libseccomp.seccomp_init(otherwise);
        if (context == 0)
        {
            throw Failure("seccomp_init failed", null);
        }

        try
        {
            foreach ((uint action, string call) in rules.Where(r => r.Action != otherwise).SelectMany(r => r.Calls.Select(c => (r.Action, c))))
            {
                // A call that this machine does not have has a negative number: nothing to filter.
                int number = Libseccomp.seccomp_syscall_resolve_name(call);
                if (number >= 0)
                {
                    Check(Libseccomp.seccomp_rule_add_array(context, action, number, 0, null), call);
                }
            }

            if (restrictions is { DenyNamespaces: true })
            {
                RestrictNamespaces(context);
            }

            if (restrictions is { RestrictFamilies: true })
            {
                RestrictFamilies(context);
            }

            fixed (byte* name = "appc-filter\0"u8)
            {
                using SafeFileHandle file = new(LibC.memfd_create(name, LibC.MFD_CLOEXEC), ownsHandle: true);
                Check(file.IsInvalid ? -1 : Libseccomp.seccomp_export_bpf(context, (int)file.DangerousGetHandle()), "export");
                byte[] program = new byte[RandomAccess.GetLength(file)];
                RandomAccess.Read(file, program, 0);
                return program;
            }
        }
        finally
        {
            Libseccomp.seccomp_release(context);
        }
    }

    private static void RestrictNamespaces(nint context)
    {
        uint denied = Libseccomp.Error(Errno.EPERM);
        Check(Libseccomp.seccomp_rule_add_array(context, denied, Libseccomp.seccomp_syscall_resolve_name("setns"), 0, null), "setns");

        // Its flags lie in memory, where a filter cannot look; without it libc uses clone.
        Check(Libseccomp.seccomp_rule_add_array(context, Libseccomp.Error(NoSuchCall), Libseccomp.seccomp_syscall_resolve_name("clone3"), 0, null), "clone3");
        foreach (ulong flag in Namespaces)
        {
            Libseccomp.Comparison has = new() { Argument = 0, Operator = Libseccomp.MaskedEqual, First = flag, Second = flag };
            foreach (string call in (ReadOnlySpan<string>)["clone", "unshare"])
            {
                Check(Libseccomp.seccomp_rule_add_array(context, denied, Libseccomp.seccomp_syscall_resolve_name(call), 1, &has), call);
            }
        }
    }

    private static void RestrictFamilies(nint context)
    {
        ulong[] allowed = [.. SocketFamilies.Allowed.Select(f => f.Number)];
        IEnumerable<(int Operator, ulong Number)> others =
        [
            (Libseccomp.Less, allowed[0]),
            .. Enumerable.Range((int)allowed[0], (int)(allowed[^1] - allowed[0])).Select(n => (ulong)n).Except(allowed).Select(n => (Libseccomp.Equal, n)),
            (Libseccomp.Greater, allowed[^1]),
        ];
        int call = Libseccomp.seccomp_syscall_resolve_name("socket");
        foreach ((int comparison, ulong number) in others)
        {
            Libseccomp.Comparison family = new() { Argument = 0, Operator = comparison, First = number };
            Check(Libseccomp.seccomp_rule_add_array(context, Libseccomp.Error(NoSuchFamily), call, 1, &family), "socket");
        }
    }

    private static uint ActionOf(string? error) => error is null ? Libseccomp.KillProcess : Libseccomp.Error(Number(error));

    private static int Number(string errorName)
    {
        for (int errno = 1; errno < LargestErrno; errno++)
        {
            if (Errno.NameOf(errno) == errorName)
            {
                return errno;
            }
        }

        throw Failure($"the error {errorName} is not known", null);
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
        {
            throw Failure($"{what}: {Errno.Describe(-result)}", null);
        }
    }

    private static LaunchException Failure(string why, string? hint) =>
        new("make the filter of system calls", 0, $"the filter of system calls cannot be made: {why}", hint);
}
