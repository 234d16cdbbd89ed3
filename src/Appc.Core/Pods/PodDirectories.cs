using System.Globalization;
using System.IO.Enumeration;
using System.Text;
using Appc.Linux;

namespace Appc.Pods;

/// <summary>The layout of <c>ROOT/pods</c>: a directory a phase, and a lock file for each pod beside them.</summary>
internal sealed class PodDirectories
{
    /// <summary>Version of the layout that this library writes. Without a version file it is 1.</summary>
    public const int Version = 1;

    private const string VersionName = "version";

    // In the order in which a pod moves: who looks in this order and finds nothing anywhere may have raced with a
    // rename only if the pod moved behind the look, so that a second look finds it.
    private static readonly (PodPhase Phase, string Name)[] s_phases =
    [
        (PodPhase.Prepare, "prepare"),
        (PodPhase.Prepared, "prepared"),
        (PodPhase.Run, "run"),
        (PodPhase.ExitedGarbage, "exited-garbage"),
        (PodPhase.Garbage, "garbage"),
    ];

    private static readonly EnumerationOptions s_everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    private readonly string _pods;
    private readonly string _locks;

    public PodDirectories(string root)
    {
        Root = root;
        _pods = Path.Combine(root, "pods");
        _locks = Path.Combine(_pods, "locks");
        Names = new PodNames(this);
    }

    public string Root { get; }

    public PodNames Names { get; }

    /// <summary>The directories that pods lie in, as far as they are there.</summary>
    public IEnumerable<string> PhaseDirectories => s_phases.Select(p => Path.Combine(_pods, p.Name));

    /// <summary>Refuses a layout that a newer version made.</summary>
    /// <exception cref="PodException">It is newer.</exception>
    public void RequireKnownVersion()
    {
        string text;
        try
        {
            if (SmallFile.TryReadContent(Path.Combine(_pods, VersionName)) is not { } content)
            {
                return;
            }

            text = Encoding.UTF8.GetString(content).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PodException(PodFailure.Storage, $"the pods in {_pods} cannot be read: {e.Message}", innerException: e);
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version > Version)
        {
            throw new PodException(
                PodFailure.Storage,
                $"the pods in {_pods} have the layout version {Shown(text)}; this program knows version {Version}",
                "use the newer program that made them, or another data directory");
        }
    }

    /// <summary>Makes what is missing of the layout. The data of pods is nobody's business but the owner's.</summary>
    public void EnsureCreated()
    {
        RequireKnownVersion();

        // Made last, so that where it is the others are.
        if (Directory.Exists(_locks))
        {
            return;
        }

        MakeDirectory(_pods);
        foreach ((_, string name) in s_phases)
        {
            MakeDirectory(Path.Combine(_pods, name));
        }

        string version = Path.Combine(_pods, VersionName);
        if (!File.Exists(version))
        {
            string temporary = $"{version}.{Guid.NewGuid():N}";
            File.WriteAllText(temporary, Version.ToString(CultureInfo.InvariantCulture) + "\n");
            File.Move(temporary, version, overwrite: true);
        }

        MakeDirectory(_locks);
    }

    public string DirectoryOf(PodPhase phase, string uuid) => Path.Combine(_pods, s_phases[(int)phase].Name, uuid);

    public string LockPathOf(string uuid) => Path.Combine(_locks, uuid);

    public PodLocation? Find(string uuid)
    {
        for (int look = 0; look < 2; look++)
        {
            foreach ((PodPhase phase, _) in s_phases)
            {
                string directory = DirectoryOf(phase, uuid);
                if (Directory.Exists(directory))
                {
                    return new PodLocation(uuid, phase, directory);
                }
            }
        }

        return null;
    }

    public IEnumerable<PodLocation> Enumerate()
    {
        RequireKnownVersion();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((PodPhase phase, string name) in s_phases)
        {
            foreach (string uuid in NamesIn(Path.Combine(_pods, name)))
            {
                if (IsUuid(uuid) && seen.Add(uuid))
                {
                    yield return new PodLocation(uuid, phase, DirectoryOf(phase, uuid));
                }
            }
        }
    }

    public IEnumerable<string> EnumerateLocks() => NamesIn(_locks);

    /// <summary>The one pod that has a name, or whose UUID begins with a prefix; a name comes first.</summary>
    /// <exception cref="PodException">No pod, or several, are meant.</exception>
    public PodLocation Resolve(string prefix)
    {
        string wanted = (prefix ?? string.Empty).Trim().ToLowerInvariant();
        if (wanted.Length == 0)
        {
            throw new PodException(PodFailure.NotFound, "no pod was named: the UUID is empty");
        }

        RequireKnownVersion();
        if ((IsUuid(wanted) ? wanted : Names.Find(wanted)) is { } uuid && Find(uuid) is { } exact)
        {
            return exact;
        }

        List<PodLocation> matches = [.. Enumerate().Where(p => p.Uuid.StartsWith(wanted, StringComparison.Ordinal))];
        return matches.Count switch
        {
            1 => matches[0],
            0 => throw new PodException(PodFailure.NotFound, $"no pod has the UUID or the name {Shown(wanted)}", "list shows the pods of this data directory"),
            _ => throw new PodException(PodFailure.Ambiguous, $"{matches.Count} pods have a UUID that begins with {Shown(wanted)}", "give more of the UUID"),
        };
    }

    /// <summary>Moves a pod to another phase; false if it is no longer where it was.</summary>
    public bool Move(PodLocation from, PodPhase to)
    {
        string target = DirectoryOf(to, from.Uuid);
        try
        {
            Directory.Move(from.Directory, target);
            return true;
        }
        catch (DirectoryNotFoundException) when (!Directory.Exists(from.Directory))
        {
            return false;
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody took the empty directory of a phase away.
            MakeDirectory(Path.GetDirectoryName(target)!);
            Directory.Move(from.Directory, target);
            return true;
        }
    }

    /// <summary>Takes the pod's lock, with some patience for those who only look at it for a moment.</summary>
    public async Task<LockFile?> TryLockAsync(string uuid, bool create, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            LockFile? mine = LockFile.TryExclusive(LockPathOf(uuid), create);
            if (mine is not null || attempt == 5)
            {
                return mine;
            }

            await Task.Delay(2 << attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    public bool IsLocked(string uuid) => LockFile.IsHeld(LockPathOf(uuid));

    public static bool IsUuid(string text) => Guid.TryParseExact(text, "D", out _);

    public static string Shown(string text) =>
        "'" + new string([.. text.Take(40).Select(c => char.IsControl(c) ? '?' : c)]) + "'";

    private static IEnumerable<string> NamesIn(string directory)
    {
        try
        {
            return [.. new FileSystemEnumerable<string>(directory, (ref FileSystemEntry entry) => entry.FileName.ToString(), s_everything)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PodException(PodFailure.Storage, $"the pods in {directory} cannot be listed: {e.Message}", innerException: e);
        }
    }

    /// <summary>Makes a directory that only its owner can enter.</summary>
    internal static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
