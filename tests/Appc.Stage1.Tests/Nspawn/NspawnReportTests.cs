using System.Globalization;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What the manifest says of an app, and what its process finds: a program in the image reports all of it, and all of it is
/// compared. Each case says what it changes; whatever it does not mention must be as in any pod.
/// </summary>
public sealed class NspawnReportTests(NspawnFixture fixture) : IDisposable
{
    private const string Default = "00000000a80425fb";
    private const string None = "0000000000000000";
    private const string Odd = "a b|\"|'|\\|$HOME|${HOME}|$$|%n|%%|a\nb|a\tb|;|#x|@|\u00e9\u20ac\U0001f600|\u0001|\u007f|\u001b[0m|\r|*|~|-|=|\\x41|";

    private static readonly Volume Shared = new() { Name = AcName.Parse("shared"), Kind = VolumeKind.Empty, Mode = "0750", Uid = 5, Gid = 6 };
    private static readonly Volume Fixed = new() { Name = AcName.Parse("fixed"), Kind = VolumeKind.Empty, ReadOnly = true };

    private static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["nothing"] = new(a => a, []),
        ["arguments"] = new(a => a with { Exec = ["/bin/report", "", .. Odd.Split('|')] }, [("arguments", "[/bin/report] [] " + string.Join(' ', Odd.Split('|').Select(o => $"[{o}]")))]),
        ["a program of PATH"] = new(a => a with { Exec = ["report"] }, [("arguments", "[report]")]),
        ["a program in an empty entry of PATH"] = new(
            a => a with { Exec = ["report"], WorkingDirectory = "/bin", Environment = [new EnvironmentVariable("PATH", "/none::other")] },
            [("arguments", "[report]"), ("variable PATH", "/none::other"), ("directory", "/bin")]),
        ["a program below the working directory"] = new(a => a with { Exec = ["../bin/report"], WorkingDirectory = "/data" }, [("arguments", "[../bin/report]"), ("directory", "/data")]),
        ["a program with a path that systemd does not take"] = new(a => a with { Exec = ["/odd \"'\\\n%n/report", ""] }, [("arguments", "[/odd \"'\\\n%n/report] []")]),
        ["environment"] = new(
            a => a with
            {
                Environment =
                [
                    new EnvironmentVariable("PATH", "/bin:/none"), new EnvironmentVariable("HOME", "/elsewhere"), new EnvironmentVariable("LANG", "C"), new EnvironmentVariable("USER", ""),
                    new EnvironmentVariable("ODD", Odd), new EnvironmentVariable("with.period-and-hyphen", "=a=\n\"b\" %n $c"), new EnvironmentVariable("NOTHING", "\uFFFE"),
                    new EnvironmentVariable("AC_METADATA_URL", "http://10.0.0.1/t0ken"), new EnvironmentVariable("AC_APP_NAME", "another"), new EnvironmentVariable("container", "another"),
                ],
            },
            [
                ("variable PATH", "/bin:/none"), ("variable HOME", "/elsewhere"), ("variable LANG", "C"), ("variable USER", ""), ("variable ODD", Odd),
                ("variable with.period-and-hyphen", "=a=\n\"b\" %n $c"), ("variable NOTHING", "\uFFFE"), ("variable AC_METADATA_URL", "http://10.0.0.1/t0ken"),
            ]),
        ["user and groups by number"] = new(
            a => a with { User = "1000", Group = "2000", SupplementaryGids = [60, 50] },
            [.. NotRoot, ("uid", "1000 1000 1000 1000"), ("gid", "2000 2000 2000 2000"), ("groups", "50 60 2000"), ("variable HOME", "/"), ("variable USER", null), ("variable LOGNAME", null)]),
        ["user and group by name"] = new(
            a => a with { User = "web", Group = "staff" },
            [
                .. NotRoot, ("uid", "1234 1234 1234 1234"), ("gid", "3456 3456 3456 3456"), ("groups", "3456"), ("variable HOME", "/home/web"), ("variable SHELL", "/bin/ash"), ("variable USER", "web"),
                ("variable LOGNAME", "web"),
            ]),
        ["user and group by a name of digits"] = new(
            a => a with { User = "77", Group = "88" },
            [
                .. NotRoot, ("uid", "7070 7070 7070 7070"), ("gid", "8080 8080 8080 8080"), ("groups", "8080"), ("variable HOME", "/home/digits"), ("variable USER", "77"), ("variable LOGNAME", "77"),
            ]),
        ["user and group by a path through links"] = new(
            a => a with { User = "/link", Group = "/link" },
            [.. NotRoot, ("uid", "300 300 300 300"), ("gid", "301 301 301 301"), ("groups", "301"), ("variable HOME", "/"), ("variable USER", null), ("variable LOGNAME", null)]),
        ["the highest user"] = new(
            a => a with { User = "65534", Group = "65534" },
            [.. NotRoot, ("uid", "65534 65534 65534 65534"), ("gid", "65534 65534 65534 65534"), ("groups", "65534"), ("variable HOME", "/"), ("variable USER", null), ("variable LOGNAME", null)]),
        ["a working directory through a link"] = new(a => a with { WorkingDirectory = "/to-data/" }, [("directory", "/data")]),
        ["a working directory with odd characters"] = new(a => a with { WorkingDirectory = "/odd 'dir\" %n/../odd 'dir\" %n" }, [("directory", "/odd 'dir\" %n")]),
        ["capabilities retained by root"] = new(
            a => a with { Isolators = [Isolator("capabilities-retain-set", """{"set":["CAP_KILL","CAP_NET_ADMIN"]}""")] }, Capabilities("0000000000001020", ambient: false)),
        ["capabilities removed"] = new(a => a with { Isolators = [Isolator("capabilities-remove-set", """{"set":["CAP_MKNOD","CAP_SYS_ADMIN"]}""")] }, Capabilities("00000000a00425fb", ambient: false)),
        ["capabilities retained by a user"] = new(
            a => a with { User = "web", Group = "staff", Isolators = [Isolator("capabilities-retain-set", """{"set":["CAP_KILL"]}""")] },
            [
                .. NotRoot, .. Capabilities("0000000000000020", ambient: true), ("uid", "1234 1234 1234 1234"), ("gid", "3456 3456 3456 3456"), ("groups", "3456"), ("variable HOME", "/home/web"),
                ("variable SHELL", "/bin/ash"), ("variable USER", "web"), ("variable LOGNAME", "web"),
            ]),
        ["no new privileges"] = new(a => a with { Isolators = [Isolator("no-new-privileges", "true")] }, [("status NoNewPrivs", "1")]),
        ["a filter of its own"] = new(a => a with { Isolators = [Isolator("seccomp-remove-set", """{"set":["mkdir"],"errno":"EPERM"}""")] }, []),
        ["no filter at all"] = new(a => a, [("status Seccomp", "0")]) { Options = new Stage1Options { NoSeccomp = true } },
        ["an OOM score"] = new(a => a with { Isolators = [Isolator("oom-score-adj", "250")] }, [("oom-score", "250")]),
        ["limits of processes"] = new(a => a, [("limit core", "5:6"), ("limit nofile", "64:128"), ("limit stack", "1048576:1048576"), ("limit nproc", "20:30")])
        {
            Runtime = new RuntimeApp { Annotations = [Limit("core", "5:6"), Limit("nofile", "64:128"), Limit("stack", "1048576"), Limit("nproc", "20:30")] },
        },
        ["a host name"] = new(a => a, [("host-name", "web-7")]) { Options = new Stage1Options { Hostname = "web-7" } },
        // The network is not that of the pod's user namespace, so that systemd-nspawn leaves out the capability for its low ports.
        ["the host's network"] = new(a => a, [.. Capabilities("00000000a80421fb", ambient: false), ("namespace net", "the host's"), ("mount /sys", "sysfs ro,nosuid,nodev,noexec")]) { Options = new Stage1Options { HostNetwork = true } },
        ["no user namespace"] = new(a => a, [("namespace user", "the host's")]) { Options = new Stage1Options { PrivateUsers = false } },
        ["a read-only root"] = new(a => a, [("mount /", "overlay ro,nodev")]) { Runtime = new RuntimeApp { ReadOnlyRootFs = true } },
        ["volumes"] = new(
            a => a with { MountPoints = [new MountPoint(AcName.Parse("point"), "/point", ReadOnly: true)], WorkingDirectory = "/point" },
            [("mount /data", "rw,nosuid,nodev"), ("mount /fixed", "ro,nosuid,nodev"), ("mount /point", "ro,nosuid,nodev"), ("directory", "/point")])
        {
            Runtime = new RuntimeApp { Mounts = [new Mount(Shared.Name, "/data"), new Mount(Fixed.Name, "/fixed"), new Mount(Shared.Name, "/point")] },
            Volumes = [Shared, Fixed],
        },
        ["a terminal"] = new(
            a => a,
            [
                ("fd 0", "both /dev/pts/0"), ("fd 1", "both /dev/pts/0"), ("fd 2", "both /dev/pts/0"), ("variable TERM", "xterm"), ("/dev/console", "c 136:0 620 opens"), ("/dev/pts/0", "c 136:0 620 opens"), ("/dev/tty", "c 5:0 666 opens"),
            ])
        {
            Runtime = new RuntimeApp { Annotations = [new Annotation(AcIdentifier.Parse(Stage1App.InputAnnotation), "terminal")] },
        },
    };

    private readonly NspawnPod _pod = new(fixture);

    public static TheoryData<string> Names => [.. Cases.Keys];

    /// <summary>What a user finds who is not root.</summary>
    private static (string, string?)[] NotRoot => [("status CapPrm", None), ("status CapEff", None), ("status NoNewPrivs", "1")];

    public void Dispose() => _pod.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_process_finds_what_the_manifest_says(string name)
    {
        Case given = Cases[name];
        AddLayer();
        _pod.Options = given.Options;
        _pod.Volumes = given.Volumes;
        await _pod.Add(given.Change(new App { Exec = ["/bin/report", "one"] }), given.Runtime).RunAsync();
        Assert.Equal("exited 0 success", _pod.Status());
        Compare(Expected("/system.slice/app-main.service", given.Differences), Assert.Single(AppReport.Parse(_pod.Output().Replace("\r", "", StringComparison.Ordinal))));
        _pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Handlers_find_what_their_app_finds()
    {
        AddLayer();
        App app = new()
        {
            Exec = ["/bin/report", "main"], User = "web", Group = "staff", SupplementaryGids = [70], WorkingDirectory = "/data",
            Environment = [new EnvironmentVariable("A", "b\nc"), new EnvironmentVariable("d.e", "f")],
            Isolators = [Isolator("capabilities-retain-set", """{"set":["CAP_KILL"]}"""), Isolator("oom-score-adj", "100")],
            EventHandlers = [new EventHandlerSpec("pre-start", ["report", "main"]), new EventHandlerSpec("post-stop", ["/bin/report", "main"])],
        };
        await _pod.Add(app).RunAsync();
        IReadOnlyList<SortedDictionary<string, string>> reports = AppReport.Parse(_pod.Output());
        Assert.Equal(3, reports.Count);
        Assert.Equal("[report] [main]", reports[0]["arguments"]);
        Assert.Equal(["0::/system.slice/pre-start-main.service", "0::/system.slice/app-main.service", "0::/system.slice/post-stop-main.service"], reports.Select(r => r["cgroup"]));
        Assert.Equal("f", reports[1]["variable d.e"]);
        foreach (SortedDictionary<string, string> handler in (SortedDictionary<string, string>[])[reports[0], reports[2]])
        {
            (handler["arguments"], handler["cgroup"]) = (reports[1]["arguments"], reports[1]["cgroup"]);
            Compare(reports[1], handler);
        }
    }

    private static void Compare(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual) =>
        Assert.Equal(string.Join('\n', expected.Select(f => $"{f.Key} = {f.Value}")), string.Join('\n', actual.Select(f => $"{f.Key} = {f.Value}")));

    /// <summary>What is so in every pod, and what a case has otherwise; null for what it has not.</summary>
    private SortedDictionary<string, string> Expected(string group, (string Key, string? Value)[] differences)
    {
        SortedDictionary<string, string> facts = new(StringComparer.Ordinal)
        {
            ["arguments"] = "[/bin/report] [one]",
            ["variable PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["variable AC_APP_NAME"] = "main", ["variable container"] = "appc",
            ["variable HOME"] = "/root", ["variable SHELL"] = "/bin/sh", ["variable USER"] = "root", ["variable LOGNAME"] = "root",
            ["uid"] = "0 0 0 0", ["gid"] = "0 0 0 0", ["groups"] = "",
            ["status CapInh"] = None, ["status CapPrm"] = Default, ["status CapEff"] = Default, ["status CapBnd"] = Default, ["status CapAmb"] = None,
            ["status NoNewPrivs"] = "0", ["status Seccomp"] = "2", ["status SigBlk"] = None, ["status SigIgn"] = None, ["status SigCgt"] = None,
            ["cgroup"] = "0::" + group,
            ["mount /"] = "overlay rw,nodev", ["mount /dev"] = "tmpfs rw,nosuid", ["mount /dev/shm"] = "tmpfs rw,nosuid,nodev", ["mount /dev/pts"] = "devpts rw,nosuid,noexec",
            ["mount /proc"] = "proc rw,nosuid,nodev,noexec", ["mount /proc/sys"] = "proc ro,nosuid,nodev,noexec", ["mount /sys"] = "tmpfs ro,nosuid,nodev,noexec",
            ["mount /sys/fs/cgroup"] = "cgroup2 ro,nosuid,nodev,noexec",
            ["limit core"] = "0:-1", ["limit nproc"] = string.Create(CultureInfo.InvariantCulture, $"{new NspawnOptions().MaxProcesses}:{new NspawnOptions().MaxProcesses}"),
            ["oom-score"] = "0",
            ["fd 0"] = "read /dev/null", ["fd 1"] = "write append /appc/logs/main.out", ["fd 2"] = "write append /appc/logs/main.err",
            ["umask"] = "022", ["directory"] = "/", ["host-name"] = "appc-" + _pod.Uuid,
            ["securebits"] = "0", ["dumpable"] = "1", ["death-signal"] = "0", ["priority"] = "0", ["scheduler"] = "0", ["leader"] = "session group",
            ["/dev/null"] = "c 1:3 666 opens", ["/dev/zero"] = "c 1:5 666 opens", ["/dev/full"] = "c 1:7 666 opens", ["/dev/random"] = "c 1:8 666 opens", ["/dev/urandom"] = "c 1:9 666 opens",
            ["/dev/tty"] = "c 5:0 666 ENXIO", ["/dev/console"] = "c 1:3 666 opens", ["/dev/net"] = "directory 755", ["/dev/net/tun"] = "c 10:200 666 opens",
            ["/dev/fd"] = "-> /proc/self/fd", ["/dev/stdin"] = "-> /proc/self/fd/0", ["/dev/stdout"] = "-> /proc/self/fd/1", ["/dev/stderr"] = "-> /proc/self/fd/2",
            ["/dev/ptmx"] = "-> pts/ptmx", ["/dev/pts"] = "directory 755", ["/dev/pts/ptmx"] = "c 5:2 666 opens", ["/dev/shm"] = "directory 1777", ["/dev/mqueue"] = "directory 1777",
        };
        foreach (string kind in (string[])["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"])
        {
            facts["namespace " + kind] = "own";
        }

        facts["namespace time"] = "the host's";
        foreach (string limit in (string[])["as", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "rss", "rtprio", "rttime", "sigpending", "stack"])
        {
            facts["limit " + limit] = "the host's";
        }

        foreach ((string key, string? value) in differences)
        {
            if (value is null)
            {
                facts.Remove(key);
            }
            else
            {
                facts[key] = value;
            }
        }

        return facts;
    }

    /// <summary>A layer with the program, and with names and places for the cases.</summary>
    private void AddLayer()
    {
        string layer = Directory.CreateDirectory(Path.Combine(_pod.Directory, "layer")).FullName;
        foreach (string name in (string[])["bin", "etc", "odd 'dir\" %n", "odd \"'\\\n%n"])
        {
            Directory.CreateDirectory(Path.Combine(layer, name));
        }

        File.Copy(CProgram.Report(), Path.Combine(layer, "bin/report"));
        File.Copy(CProgram.Report(), Path.Combine(layer, "odd \"'\\\n%n/report"));
        File.WriteAllText(Path.Combine(layer, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1234:2345:Web:/home/web:/bin/ash\n77:x:7070:7071::/home/digits:/bin/sh\n");
        File.WriteAllText(Path.Combine(layer, "etc/group"), "root:x:0:\nstaff:x:3456:\n88:x:8080:\n");
        File.WriteAllText(Path.Combine(layer, "owned"), "");
        Own(Path.Combine(layer, "owned"), 300, 301);
        File.CreateSymbolicLink(Path.Combine(layer, "link"), "/etc/../etc/link");
        File.CreateSymbolicLink(Path.Combine(layer, "etc/link"), "../owned");
        File.CreateSymbolicLink(Path.Combine(layer, "to-data"), "/data");
        _pod.Layers = [fixture.Image, layer];
    }

    private static unsafe void Own(string path, uint uid, uint gid)
    {
        fixed (byte* p = Linux.Fd.PathBytes(path))
        {
            Assert.Equal(0, Linux.Libc.fchownat(Linux.Libc.AT_FDCWD, p, uid, gid, 0));
        }
    }

    private static (string, string?)[] Capabilities(string set, bool ambient) =>
        [("status CapPrm", set), ("status CapEff", set), ("status CapBnd", set), .. ambient ? ((string, string?)[])[("status CapAmb", set), ("status CapInh", set)] : []];

    private static Isolator Isolator(string name, string json) => NspawnPod.Isolator("os/linux/" + name, json);

    private static Annotation Limit(string name, string value) => new(AcIdentifier.Parse("appc.io/executor/rlimit/" + name), value);

    /// <summary>What a manifest asks for, and what is otherwise for it.</summary>
    private sealed record Case(Func<App, App> Change, (string Key, string? Value)[] Differences)
    {
        public RuntimeApp? Runtime { get; init; }

        public Stage1Options Options { get; init; } = new();

        public IReadOnlyList<Volume> Volumes { get; init; } = [];
    }
}
