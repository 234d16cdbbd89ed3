using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Fly;

public sealed class FlyIdentityTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task The_default_is_root_with_the_fourteen_capabilities_of_the_specification()
    {
        _pod.Shell("grep -E '^(Uid|Groups|Cap|NoNew|Sig(Blk|Ign))' /proc/self/status");
        string output = await _pod.RunAsync(_stage1);
        Assert.Contains("Uid:\t0\t0\t0\t0", output, StringComparison.Ordinal);
        Assert.Contains("CapPrm:\t00000000a80425fb", output, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t00000000a80425fb", output, StringComparison.Ordinal);
        Assert.Contains("CapBnd:\t00000000a80425fb", output, StringComparison.Ordinal);
        Assert.Contains("CapAmb:\t0000000000000000", output, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t0", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("os/linux/capabilities-retain-set", "[\"CAP_NET_BIND_SERVICE\",\"CAP_KILL\"]", "0000000000000420")]
    [InlineData("os/linux/capabilities-remove-set", "[\"CAP_MKNOD\",\"CAP_SYS_ADMIN\"]", "00000000a00425fb")]
    public async Task Capability_isolators_set_the_bounding_set(string name, string set, string expected)
    {
        _pod.Isolate(name, $"{{\"set\":{set}}}");
        _pod.Shell("grep CapBnd /proc/self/status");
        Assert.Equal($"CapBnd:\t{expected}\n", await _pod.RunAsync(_stage1));
    }

    [Fact]
    public async Task Another_user_keeps_only_capabilities_that_were_retained_by_name()
    {
        _pod.App = _pod.App with { User = "web", Group = "staff", SupplementaryGids = [7, 8] };
        _pod.Shell("id -u; id -g; id -G; grep -E '^Cap(Eff|Bnd)' /proc/self/status; echo $USER $LOGNAME $HOME $SHELL");
        Assert.Equal(
            "1234\n3456\n3456 7 8\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nweb web /home/web /bin/ash\n", await _pod.RunAsync(_stage1));

        _pod.Isolate("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_NET_BIND_SERVICE\"]}");
        _pod.Shell("grep -E '^Cap(Eff|Bnd|Amb)' /proc/self/status");
        Assert.EndsWith(
            "CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_names_the_owner_of_that_file_of_the_image()
    {
        File.WriteAllText(Path.Combine(_pod.Layer, "owned"), "");
        Assert.Equal(0, chown(Path.Combine(_pod.Layer, "owned"), 4321, 8765));
        _pod.App = _pod.App with { User = "/owned", Group = "/owned" };
        _pod.Shell("id -u; id -g");
        Assert.Equal("4321\n8765\n", await _pod.RunAsync(_stage1));
    }

    [Theory]
    [InlineData("nobody-here", "0", "find the user")]
    [InlineData("0", "nobody-here", "find the group")]
    [InlineData("/nowhere", "0", "find the user")]
    [InlineData("4294967295", "0", "find the user")]
    [InlineData("-1", "0", "find the user")]
    public async Task An_unknown_user_does_not_become_root(string user, string group, string step)
    {
        _pod.App = _pod.App with { User = user, Group = group };
        _pod.Shell("true");
        LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Equal(step, error.Step);
        Assert.NotNull(error.Hint);
    }

    [Fact]
    public async Task No_new_privileges_and_the_OOM_score_are_set_when_asked_for()
    {
        _pod.Isolate("os/linux/no-new-privileges", "true");
        _pod.Isolate("os/linux/oom-score-adj", "321");
        _pod.Shell("grep NoNew /proc/self/status; cat /proc/self/oom_score_adj");
        string mine = await File.ReadAllTextAsync("/proc/self/oom_score_adj");
        Assert.Equal("NoNewPrivs:\t1\n321\n", await _pod.RunAsync(_stage1));
        Assert.Equal(mine, await File.ReadAllTextAsync("/proc/self/oom_score_adj"));
    }

    [Fact]
    public async Task New_namespaces_are_denied_by_a_filter()
    {
        _pod.Shell("grep -E '^Seccomp:|NoNew' /proc/self/status; unshare -U true; unshare -m true; sh -c 'true & wait' && echo forks");
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal("NoNewPrivs:\t0\nSeccomp:\t2\nforks\n", output);
        Assert.Equal(2, _pod.Error.Split("Operation not permitted").Length - 1);
    }

    [Fact]
    public async Task The_filter_gives_way_to_a_capability_and_to_those_who_ask()
    {
        _pod.Isolate("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_SYS_ADMIN\"]}");
        _pod.Shell("grep Seccomp: /proc/self/status; unshare -m true && echo ok");
        Assert.Equal("Seccomp:\t2\nok\n", await _pod.RunAsync(_stage1));

        _pod.App = _pod.App with { Isolators = [] };
        _pod.Isolate("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/all\"]}");
        _pod.Shell("grep Seccomp: /proc/self/status");
        Assert.EndsWith("Seccomp:\t0\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);

        _pod.App = _pod.App with { Isolators = [] };
        _pod.Options = _pod.Options with { NoSeccomp = true };
        Assert.EndsWith("Seccomp:\t0\n", await _pod.RunAsync(_stage1), StringComparison.Ordinal);
    }

    [Fact]
    public void The_filter_has_the_numbers_of_its_architecture()
    {
        byte[] program = FlyFilter.Build(System.Runtime.InteropServices.Architecture.X64, CapabilitySet.Default);
        FilterVerdicts x64 = new(program, 0xc000003e);
        FilterVerdicts arm64 = new(FlyFilter.Build(System.Runtime.InteropServices.Architecture.Arm64, CapabilitySet.Default), 0xc00000b7);
        Assert.Equal(
            [103, 134, 136, 139, 155, 156, 163, 164, 165, 166, 167, 168, 169, 172, 173, 175, 176, 179, 180, 212, 227, 246, 248, 249, 250, 272, 298, 304, 305,
             308, 313, 320, 321, 323, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 443],
            x64.Denied);
        Assert.Equal(
            [18, 39, 40, 41, 42, 60, 89, 97, 104, 105, 106, 112, 116, 142, 170, 217, 218, 219, 224, 225, 241, 265, 266, 268, 273, 280, 282, 294,
             425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 443],
            arm64.Denied);
        Assert.All((FilterVerdicts[])[x64, arm64], f => Assert.Equal([435], f.Missing));
        foreach ((FilterVerdicts filter, uint clone) in ((FilterVerdicts, uint)[])[(x64, 56), (arm64, 220)])
        {
            Assert.Equal(FilterVerdicts.Denial, filter.Of(clone, 0x10000000)); // CLONE_NEWUSER
            Assert.Equal(FilterVerdicts.Denial, filter.Of(clone, 0x00020011)); // CLONE_NEWNS
            Assert.Equal(FilterVerdicts.Allowance, filter.Of(clone, 0x003d0f00)); // a thread
        }

        Assert.Equal(FilterVerdicts.Absence, x64.Of(0x40000000)); // the x32 interface
        Assert.Equal(FilterVerdicts.Absence, x64.Of(0x400000a5));
        Assert.Equal(FilterVerdicts.Absence, new FilterVerdicts(program, 0x40000003).Of(0)); // another architecture
    }

    [Fact]
    public void The_filter_of_an_app_with_all_capabilities_denies_what_needs_none()
    {
        FilterVerdicts filter = new(FlyFilter.Build(System.Runtime.InteropServices.Architecture.X64, new CapabilitySet(ulong.MaxValue)), 0xc000003e);
        Assert.Equal([134, 136, 139, 156, 172, 173, 180, 248, 249, 250, 323, 425, 426, 427], filter.Denied);
        Assert.Empty(filter.Missing);
        Assert.Equal(FilterVerdicts.Allowance, filter.Of(56, 0x10000000));
    }

    [Theory]
    [InlineData("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_FLY\"]}")]
    [InlineData("os/linux/capabilities-retain-set", "{}")]
    [InlineData("os/linux/no-new-privileges", "\"yes\"")]
    public async Task A_malformed_isolator_is_refused(string name, string value)
    {
        _pod.Isolate(name, value);
        _pod.Shell("true");
        LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Equal("read the isolators", error.Step);
    }

    [Fact]
    public async Task The_environment_is_that_of_the_specification_and_of_the_app_and_nothing_of_the_host()
    {
        Environment.SetEnvironmentVariable("APPC_TEST_LEAK", "1");
        _pod.App = _pod.App with
        {
            Exec = ["/bin/env"],
            Environment = [new EnvironmentVariable("ODD", "a b\n$c"), new EnvironmentVariable("HOME", "/elsewhere"), new EnvironmentVariable("AC_APP_NAME", "liar")],
        };
        string output = await _pod.RunAsync(_stage1);
        Assert.Equal(
            "AC_APP_NAME=main HOME=/elsewhere LOGNAME=root ODD=a b PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SHELL=/bin/sh USER=root container=appc",
            string.Join(' ', output.Split('\n').Where(l => l.Contains('=', StringComparison.Ordinal)).Order(StringComparer.Ordinal)));
        Assert.Contains("a b\n$c", output, StringComparison.Ordinal);
    }

    [System.Runtime.InteropServices.DllImport("libc", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Globalization", "CA2101", Justification = "The path is plain ASCII.")]
    private static extern int chown(string path, uint uid, uint gid);
}
