using System.Diagnostics;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>Whatever a plain systemd-nspawn denies is denied in a default app too.</summary>
public sealed class NspawnComparisonTests(NspawnFixture fixture, ITestOutputHelper output) : IDisposable
{
    // Denied by systemd-nspawn's own filter, which is left out where an app has one. RLIMIT_MEMLOCK bounds the locking of memory, and
    // with landlock a program can only restrict itself.
    private static readonly string[] Exceptions =
    [
        "mlock", "mlock2", "mlockall", "munlock", "munlockall", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    ];

    private readonly string _tree = Directory.CreateTempSubdirectory("appc-plain-").FullName;

    public void Dispose() => TreeRemover.Remove(_tree);

    [Theory]
    [InlineData("0")]
    [InlineData("1234")]
    public async Task What_plain_nspawn_denies_is_denied(string user)
    {
        Dictionary<int, string> plain = Answers(await RunPlainAsync(user));
        string layer = Directory.CreateDirectory(Path.Combine(_tree, "layer/bin")).Parent!.FullName;
        File.Copy(CProgram.SystemCallProbe(), Path.Combine(layer, "bin/probe"));
        using NspawnPod pod = new(fixture) { Layers = [fixture.Image, layer] };
        pod.Shell("/bin/probe", a => a with { User = user, Group = user });
        Dictionary<int, string> ours = Answers(await pod.RunAsync());
        Assert.True(plain.Count > 300 && ours.Count == plain.Count, $"{plain.Count} and {ours.Count} answers");

        int[] exceptions = [.. Exceptions.Select(Libseccomp.seccomp_syscall_resolve_name)];
        int[] denied = [.. plain.Where(a => IsDenied(a.Value)).Select(a => a.Key)];
        Assert.True(denied.Length > 40, $"plain nspawn denies only {denied.Length} calls");
        Assert.Empty(denied.Where(c => !IsDenied(ours[c])).Except(exceptions).Select(c => $"system call {c}: {plain[c]} in plain nspawn, {ours[c]} in an app"));
        output.WriteLine($"plain nspawn denies {denied.Length} calls, an app {ours.Values.Count(IsDenied)}");
    }

    private static bool IsDenied(string answer) => answer is "EPERM" or "ENOSYS" or "signal 31";

    private static Dictionary<int, string> Answers(string lines) => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(l => l.Split(' ', 2)).ToDictionary(p => int.Parse(p[0], System.Globalization.CultureInfo.InvariantCulture), p => p[1].Trim());

    private async Task<string> RunPlainAsync(string user)
    {
        string tree = Directory.CreateDirectory(Path.Combine(_tree, "plain")).FullName;
        foreach (string directory in (string[])["bin", "etc", "usr", "proc", "sys", "dev", "run", "tmp", "root", "var"])
        {
            Directory.CreateDirectory(Path.Combine(tree, directory));
        }

        File.Copy(CProgram.SystemCallProbe(), Path.Combine(tree, "bin/probe"));
        await File.WriteAllTextAsync(Path.Combine(tree, "etc/os-release"), "ID=test\n");

        // Since version 258 it refuses hosts that have version 1 control groups: it is shown the others only.
        ProcessStartInfo start = new("unshare") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (string[])[
            "--mount", "--propagation", "private", "sh", "-c", "[ $0 = /sys/fs/cgroup ] || mount --bind $0 /sys/fs/cgroup; exec \"$@\"", PodCGroup.FindHierarchy()!.MountPoint,
            "systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--directory=" + tree,
            "/bin/probe", user])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return text;
    }
}
