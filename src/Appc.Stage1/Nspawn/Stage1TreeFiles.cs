using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>What a stage1 tree consists of.</summary>
internal static partial class Stage1TreeFiles
{
    /// <summary>Changes whenever trees are made differently, so that old ones are not used.</summary>
    internal const string Recipe = "appc nspawn tree 12\n";

    /// <summary>Systemd's sets of system calls, for the commands that run in apps.</summary>
    internal const string SystemCallSets = "usr/lib/appc/syscall-sets";

    /// <summary>The version of systemd, as a number.</summary>
    internal const string SystemdVersion = "usr/lib/appc/systemd-version";

    /// <summary>By which the pod's systemd is asked for something.</summary>
    internal const string Control = "/usr/bin/systemctl";

    /// <summary>Leaves an empty file among the pod's statuses.</summary>
    internal const string MarkScript = "usr/lib/appc/mark";

    /// <summary>Where a pod's own files appear in the tree.</summary>
    internal const string PodDirectory = "/appc";

    /// <summary>Where the apps' root file systems appear in the tree; the specification's name for them is stage2.</summary>
    internal const string AppsDirectory = "/opt/stage2";

    /// <summary>The units that end a pod.</summary>
    internal const string EndUnit = "pod-end.service";

    // SuccessAction alone makes a service: no process is needed to end the pod. Apps conflict with it, and it waits
    // until they have stopped.
    private const string EndText = """
        [Unit]
        Description=Ends the pod
        DefaultDependencies=no
        SuccessAction=exit-force

        """;

    // What systemd starts when it is asked to halt (SIGRTMIN+3) or to exit.
    private const string EndTargetText = """
        [Unit]
        DefaultDependencies=no
        Requires=pod-end.service
        After=pod-end.service

        """;

    private const uint Executable = 0x1ed;
    private const uint Readable = 0x1a4;
    private const uint SetGroupIdBit = 0x400;

    private const string EmptyTargetText = "[Unit]\nDefaultDependencies=no\n";

    // The environment of this program is the app's, and with it LD_PRELOAD and its like; see SetGroupId. Whether an app
    // was killed for memory systemd itself sees in version 2 control groups only. The line is written by one call: a
    // reader finds all of it or nothing, and a rename would take another program.
    private const string EndedText = """
        result=$SERVICE_RESULT
        if [ "$EXIT_STATUS" = KILL ] && [ -e "/appc/limits/memory/app-$1/memory.oom_control" ]; then
            while read -r name count; do
                if [ "$name" = oom_kill ] && [ "$count" != 0 ]; then result=oom-kill killed=$count; fi
            done < "/appc/limits/memory/app-$1/memory.oom_control"
        fi
        if [ "$2" = again ]; then
            . /usr/lib/appc/ended-again
        else
            printf '%s %s %s\n' "$EXIT_CODE" "$EXIT_STATUS" "$result" > "/appc/status/$1"
        fi

        """;

    // The first process of a unit is born frozen, as its control group is: it goes on when it is in the groups that
    // limit it. There is no time at which the program runs without them, and nobody outside is needed for it: if they do
    // not take it, it is killed. It may also have been killed before, and then the group is needed for what records its end.
    private const string LimitText = """
        group=/sys/fs/cgroup/system.slice/$1
        until read -r pid < "$group/cgroup.procs"; do :; done
        for file in /appc/limits/*/"app-$2/cgroup.procs"; do
            echo "$pid" > "$file" || { failed=1; kill -KILL "$pid"; }
        done
        echo 0 > "$group/cgroup.freeze" && [ -z "$failed" ]

        """;

    private const string MarkText = """
        : > "/appc/status/$1"

        """;

    // A handler that has failed before the app's start ends in the app's place.
    private const string NotStartedText = """
        [ "$SERVICE_RESULT" = success ] || . /usr/lib/appc/ended

        """;

    private static readonly string[] Directories =
    [
        "usr/bin", "usr/sbin", "usr/lib/systemd/system", "usr/lib/appc", "etc/systemd/system", "proc", "sys", "dev", "run", "tmp",
        "var/tmp", "var/log", "root", "opt/stage2", "appc",
    ];

    internal static void Write(string tree, string systemd, IEnumerable<string> helpers, string shell, string control, IEnumerable<string> tools, IEnumerable<string> sharedObjects, string systemCallSets)
    {
        foreach (string directory in Directories)
        {
            Directory.CreateDirectory(Path.Combine(tree, directory));
        }

        // Merged as on every current distribution: a shared object is found under either name.
        foreach (string name in (string[])["bin", "sbin", "lib", "lib32", "lib64", "libx32"])
        {
            Directory.CreateDirectory(Path.Combine(tree, "usr", name));
            File.CreateSymbolicLink(Path.Combine(tree, name), "usr/" + name);
        }

        Copy(systemd, tree, InitProgram.Systemd);
        foreach (string helper in helpers)
        {
            Copy(helper, tree, "/usr/lib/systemd/" + Path.GetFileName(helper));
        }

        Copy(shell, tree, "/usr/bin/dash");
        Copy(control, tree, Control);
        foreach (string tool in tools)
        {
            Copy(tool, tree, "/usr/bin/" + Path.GetFileName(tool));
        }

        Stage1TreeObjects.Copy(sharedObjects, tree);

        SetGroupId(tree + "/usr/bin/dash");
        Text(tree, "usr/lib/appc/ended", EndedText);
        Text(tree, "usr/lib/appc/not-started", NotStartedText);
        Text(tree, "usr/lib/appc/limit", LimitText);
        Text(tree, MarkScript, MarkText);
        foreach ((string name, string text) in Stage1TreeScripts.All)
        {
            Text(tree, "usr/lib/appc/" + name, text);
        }

        Text(tree, SystemCallSets, systemCallSets);
        Text(tree, SystemdVersion, VersionOf(sharedObjects).ToString(CultureInfo.InvariantCulture));

        Program(tree, "usr/lib/systemd/systemd-shutdown", ShutdownProgram.Make(RuntimeInformation.ProcessArchitecture));
        Program(tree, InitProgram.Path, InitProgram.Make(RuntimeInformation.ProcessArchitecture));
        foreach (string name in (string[])["sysinit", "basic", "sockets", "shutdown", "umount", "final", "rescue"])
        {
            Text(tree, $"usr/lib/systemd/system/{name}.target", EmptyTargetText);
        }

        foreach (string name in (string[])["halt", "exit", "poweroff", "reboot"])
        {
            Text(tree, $"usr/lib/systemd/system/{name}.target", EndTargetText);
        }

        Text(tree, "usr/lib/systemd/system/" + EndUnit, EndText);
        Text(tree, "etc/os-release", "ID=appc\nNAME=appc\n");

        // These are the pod's own; all else in the tree is the same for every pod.
        foreach (string name in (string[])["passwd", "group", "machine-id"])
        {
            File.CreateSymbolicLink(Path.Combine(tree, "etc", name), "../appc/" + name);
        }
    }

    // A systemd that has none of these objects is older than what anything here distinguishes.
    private static int VersionOf(IEnumerable<string> sharedObjects) => sharedObjects
        .Select(o => SharedObjectOfSystemd().Match(Path.GetFileName(o)))
        .Where(m => m.Success)
        .Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))
        .FirstOrDefault();

    [GeneratedRegex(@"^libsystemd-shared-(\d{3})\b")]
    private static partial Regex SharedObjectOfSystemd();

    internal static void Copy(string source, string tree, string path)
    {
        string target = tree + path;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        if (!File.Exists(target))
        {
            File.Copy(source, target);
            PodFilesWriter.SetMode(target, Executable);
        }
    }

    /// <summary>
    /// Has a program executed with another effective group, which it drops again. All that this is for: the dynamic
    /// loader then takes nothing from the environment, as for any program with set-id bits.
    /// </summary>
    private static unsafe void SetGroupId(string path)
    {
        const uint SomeGroup = 1;
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, 0, SomeGroup, 0), "chown");
        }

        PodFilesWriter.SetMode(path, Executable | SetGroupIdBit);
    }

    private static void Program(string tree, string path, byte[] file)
    {
        string target = Path.Combine(tree, path);
        File.WriteAllBytes(target, file);
        PodFilesWriter.SetMode(target, Executable);
    }

    internal static void Text(string tree, string path, string text)
    {
        string target = Path.Combine(tree, path);
        File.WriteAllText(target, text, new UTF8Encoding(false));
        PodFilesWriter.SetMode(target, Readable);
    }
}
