using System.Security.Cryptography;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The root file system in which the systemd of every pod runs: the host's own systemd, a shell and what they load,
/// and a few files. Built once, shared read-only by all pods, and built anew when one of its sources has changed.
/// </summary>
internal sealed class Stage1Tree(string root, NspawnHost host) : IDisposable
{
    private const string Prefix = "nspawn-";

    private readonly string _directory = Path.Combine(root, "stage1");
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly QuietWatches _watches = new();
    private IReadOnlyCollection<string>? _sources;

    /// <summary>A tree that is as the host is now, held by a shared lock on its directory.</summary>
    /// <returns>The tree; whoever keeps a copy of its descriptor open keeps it from being removed.</returns>
    internal async Task<HeldTree> HoldAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Only for root: programs in the tree have set-id bits.
            PodFilesWriter.MakePrivate(_directory);
            while (true)
            {
                _sources ??= ReadSources() is [var first, .. var rest] && first == host.Systemd ? [first, .. rest] : null;
                string? key = _sources is null ? null : KeyOf(_sources);
                if (key is not null && TryHold(Path.Combine(_directory, Prefix + key)) is { } held)
                {
                    _watches.Share(held.Path);
                    return held;
                }

                await BuildAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException("build the stage1 tree", 0, $"the stage1 tree in {_directory} cannot be built: {e.Message}", null, e);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose()
    {
        _watches.Dispose();
        _gate.Dispose();
    }

    private static HeldTree? TryHold(string path)
    {
        Fd? directory = OpenIfThere(path);
        if (directory is null)
        {
            return null;
        }

        // Whoever removes a tree renames it away under an exclusive lock: held and still there means ours to use.
        if (directory.TryLock(exclusive: false) && OpenIfThere(path) is { } again)
        {
            using (again)
            {
                if (again.Stat().IsSameFile(directory.Stat()))
                {
                    return new HeldTree(path, directory);
                }
            }
        }

        directory.Dispose();
        return null;
    }

    private static Fd? OpenIfThere(string path)
    {
        try
        {
            return Fd.OpenDirectory(path);
        }
        catch (ErrnoException e) when (e.Number == Errno.ENOENT)
        {
            return null;
        }
    }

    private async Task BuildAsync(CancellationToken cancellationToken)
    {
        using LockFile gate = await LockFile.WaitExclusiveAsync(Path.Combine(_directory, "lock"), cancellationToken).ConfigureAwait(false);
        string systemd = host.Systemd ?? throw Missing("systemd");
        string shell = NspawnHost.Shell ?? throw Missing("a shell");
        string control = host.Control ?? throw Missing("systemctl");
        string[] helpers = [.. NspawnHost.HelpersOf(systemd)];
        string[] tools = [.. Stage1TreeScripts.Tools.Select(t => NspawnHost.FindTool(t) ?? throw Missing(t))];
        IReadOnlyCollection<string> objects = await SharedObjects.FindAsync([systemd, .. helpers, shell, control, .. tools], cancellationToken).ConfigureAwait(false);
        List<string> sources = [systemd, .. helpers, shell, control, .. tools, .. objects];
        string key = KeyOf(sources) ?? throw new LaunchException("build the stage1 tree", 0, "the host's systemd changed while its files were read", "Try again.");
        string sets = await ProgramOutput.ReadAsync("systemd-analyze", ["syscall-filter"], cancellationToken).ConfigureAwait(false) ?? throw Missing("systemd-analyze");
        string final = Path.Combine(_directory, Prefix + key);
        if (!Directory.Exists(final))
        {
            string temporary = Path.Combine(_directory, ".new");
            TreeRemover.Remove(temporary);
            try
            {
                Stage1TreeFiles.Write(temporary, systemd, helpers, shell, control, tools, objects, sets);
                Sync(temporary);
                Directory.Move(temporary, final);
            }
            catch
            {
                // A disk that is full must not stay so for the sake of half a tree.
                TreeRemover.Remove(temporary);
                throw;
            }
        }

        WriteSources(sources);
        _sources = sources;
        RemoveOthers(key);
    }

    /// <summary>Removes trees of other keys that no pod uses.</summary>
    private void RemoveOthers(string key)
    {
        foreach (string path in Directory.EnumerateDirectories(_directory))
        {
            string name = Path.GetFileName(path);
            if (name == Prefix + key || !(name.StartsWith(Prefix, StringComparison.Ordinal) || name.StartsWith(".old-", StringComparison.Ordinal)))
            {
                continue;
            }

            using Fd? directory = OpenIfThere(path);
            if (directory is not null && directory.TryLock(exclusive: true))
            {
                string away = Path.Combine(_directory, ".old-" + Guid.NewGuid().ToString("N"));
                Directory.Move(path, away);
                TreeRemover.Remove(away);
            }
        }
    }

    private string SourcesPath => Path.Combine(_directory, "nspawn.sources");

    private string[]? ReadSources()
    {
        try
        {
            return File.ReadAllLines(SourcesPath);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private void WriteSources(IEnumerable<string> sources)
    {
        File.WriteAllLines(SourcesPath + ".new", sources);
        File.Move(SourcesPath + ".new", SourcesPath, overwrite: true);
    }

    /// <summary>Names the tree that these files make, as they are now; null if one of them is gone.</summary>
    private static unsafe string? KeyOf(IEnumerable<string> sources)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Stage1TreeFiles.Recipe));
        foreach (string path in sources)
        {
            fixed (byte* p = Fd.PathBytes(path))
            {
                if (Libc.StatAt(Libc.AT_FDCWD, p, 0, out Libc.Statx stat) != 0)
                {
                    return null;
                }

                hash.AppendData(Encoding.UTF8.GetBytes($"{path}\n{SourceState.Of(stat)}\n"));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 10));
    }

    private static void Sync(string path)
    {
        using Fd directory = Fd.OpenDirectory(path);
        ErrnoException.ThrowIfFailed(Libc.syncfs(directory.Number), "syncfs");
    }

    private static LaunchException Missing(string what) =>
        new("build the stage1 tree", 0, $"{what} was not found on this host", "Install it: apt-get install systemd dash coreutils util-linux");
}
