using System.Runtime.InteropServices;
using System.Text;
using Appc.Linux;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

/// <summary>Writes what a pod needs on disk before its launch.</summary>
internal sealed unsafe class PodFilesWriter(Stage1Pod pod)
{
    private const uint OwnerOnly = 0x1c0;
    private const uint Readable = 0x1ed;

    private readonly PodPaths _paths = new(pod);

    internal void MakeDirectories()
    {
        Make(_paths.Own, 0, 0, OwnerOnly);
        Make(_paths.Volumes, 0, 0, OwnerOnly);
        Make(_paths.Files, 0, 0, Readable);
        Make(_paths.Units, 0, 0, Readable);
        Make(Path.Combine(_paths.Files, "logs"), 0, 0, Readable);
        Make(Path.Combine(_paths.Files, "status"), 0, 0, Readable);
        Make(Path.Combine(_paths.Files, PodPaths.ObjectsName), 0, 0, Readable);
        Make(_paths.Apps, 0, 0, Readable);
        Make(_paths.Inputs, 0, 0, Readable);
    }

    /// <summary>Units, accounts, the apps' upper layers, logs and status. The status directory belongs to the pod's root.</summary>
    internal void Write(IReadOnlyList<NspawnApp> apps, uint firstId, NspawnSockets sockets, NspawnHostServices host, HeldTree tree, TimeSpan stopTimeout, string subject)
    {
        foreach ((string name, string text) in PodUnits.Write(pod, apps, sockets, host, new Lazy<SystemCallSets>(tree.SystemCallSets), stopTimeout, subject))
        {
            WriteFile(Path.Combine(_paths.Units, name), text);
        }

        WriteFile(Path.Combine(_paths.Files, "passwd"), PodAccounts.Passwd(apps));
        WriteFile(Path.Combine(_paths.Files, "group"), PodAccounts.Group(apps));
        WriteFile(Path.Combine(_paths.Files, "machine-id"), pod.Uuid.Replace("-", "", StringComparison.Ordinal) + "\n");

        // In the logs' directory the pod can make nothing: whoever reads them here finds files and no links.
        Make(_paths.Logs, 0, 0, Readable);
        foreach (string notes in PodLogUnits.FilesOf(pod))
        {
            MakeFile(Path.Combine(_paths.Logs, notes), firstId);
        }

        Make(_paths.Status, firstId, firstId, OwnerOnly);
        foreach (NspawnApp app in apps)
        {
            WriteApp(app, firstId);
        }
    }

    /// <summary>What an app needs that is added to the running pod; its units come last.</summary>
    internal void Add(NspawnApp app, uint firstId, NspawnHostServices host, HeldTree tree, TimeSpan stopTimeout, string subject)
    {
        WriteApp(app, firstId);
        foreach ((string file, string lines) in (IEnumerable<(string, string)>)[("passwd", PodAccounts.Passwd([app])), ("group", PodAccounts.Group([app]))])
        {
            // Replaced as a whole: the systemd inside reads them at any time.
            string path = Path.Combine(_paths.Files, file);
            string[] known = File.ReadAllLines(path);
            string[] all = [.. known, .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !known.Any(k => k.Split(':')[0] == l.Split(':')[0]))];
            WriteFile(path + ".new", string.Join('\n', all) + "\n");
            File.Move(path + ".new", path, overwrite: true);
        }

        foreach ((string name, string text) in PodUnits.WriteApp(pod, app, PodUnits.Several, host, new Lazy<SystemCallSets>(tree.SystemCallSets), stopTimeout, subject))
        {
            WriteFile(Path.Combine(_paths.Units, name), text);
        }
    }

    private void WriteApp(NspawnApp app, uint firstId)
    {
        MakeLog(pod.StandardOutputPath(app.Name));
        MakeLog(pod.StandardErrorPath(app.Name));
        string directory = Path.Combine(_paths.Apps, app.Name.ToString());
        Make(directory, 0, 0, Readable);

        // The upper layer's own directory is what the app sees as its root directory.
        Libc.Statx root = app.RootAttributes;
        Make(_paths.UpperOf(app.Name), firstId + root.Uid, firstId + root.Gid, root.Mode & 0xfffu);
        Make(Path.Combine(directory, "work"), firstId, firstId, OwnerOnly);
        WriteStarter(app, app.Command, app.UnitName, firstId);
        WriteStarter(app, app.PreStart, app.PreStartUnitName, firstId);
        WriteStarter(app, app.PostStop, app.PostStopUnitName, firstId);
    }

    private void WriteStarter(NspawnApp app, NspawnHandler? command, string unit, uint firstId)
    {
        if (command is null || !NspawnStarter.IsNeededBy(app, command))
        {
            return;
        }

        string directory = Path.Combine(_paths.Units, unit + ".d");
        Make(directory, 0, 0, Readable);
        string path = Path.Combine(directory, NspawnStarter.FileName);
        File.WriteAllBytes(path, NspawnStarter.Make(RuntimeInformation.ProcessArchitecture, app, command));
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, firstId + app.User.Uid, firstId + app.User.Gid, Libc.AT_SYMLINK_NOFOLLOW), $"chown {path}");
        }

        SetMode(path, NspawnStarter.Mode);
    }

    /// <summary>Makes a directory that only root can enter, if it is missing.</summary>
    internal static void MakePrivate(string path)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            SetMode(path, OwnerOnly);
        }
    }

    /// <summary>Makes a directory that process 1 of the pod may read, if it is missing.</summary>
    internal static void MakeReadable(string path) => Make(path, 0, 0, Readable);

    internal static void SetMode(string path, uint mode)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchmodat(Libc.AT_FDCWD, p, mode, 0), $"chmod {path}");
        }
    }

    private static void Make(string path, uint uid, uint gid, uint mode)
    {
        Directory.CreateDirectory(path);
        fixed (byte* p = Fd.PathBytes(path))
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(Libc.AT_FDCWD, p, uid, gid, Libc.AT_SYMLINK_NOFOLLOW), $"chown {path}");
        }

        SetMode(path, mode);
    }

    private static void MakeFile(string path, uint owner)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            using Fd file = Fd.Own(Libc.openat(Libc.AT_FDCWD, p, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x180), $"open {path}");
            ErrnoException.ThrowIfFailed(Libc.fchown(file.Number, owner, owner), $"chown {path}");
        }
    }

    /// <summary>
    /// A log belongs to nobody in the pod: the owner of a file may lease it, which makes whoever opens it wait. Only root gets as far
    /// as here on the host, and an app to what it was handed; so everybody may write, be it by opening /dev/stdout once more.
    /// </summary>
    private static void MakeLog(string path)
    {
        const uint WritableByAll = 0x1b6;
        MakeFile(path, 0);
        SetMode(path, WritableByAll);
    }

    internal static void WriteFile(string path, string text)
    {
        File.WriteAllText(path, text, new UTF8Encoding(false));
        SetMode(path, 0x1a4);
    }
}
