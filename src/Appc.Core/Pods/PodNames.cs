using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Pods;

/// <summary>
/// The names of pods: a file <c>ROOT/pods/names/NAME</c> that holds the UUID of the pod. A name is given under the lock of
/// the names and under that of its pod. Where neither the pod nor its lock is left, the file means nothing, and whoever
/// wants the name takes it.
/// </summary>
internal sealed class PodNames(PodDirectories pods)
{
    public const int MaxLength = 128;

    private const string LockName = ".lock";

    private readonly string _directory = Path.Combine(pods.Root, "pods", "names");

    /// <summary>What is wrong with a name; null if nothing is.</summary>
    public static string? FindFault(string name) =>
        !AcName.TryParse(name, out _) ? $"{PodDirectories.Shown(name)} is not a valid name for a pod: lower case letters, digits and '-' between them"
        : name.Length > MaxLength ? $"the name of the pod is longer than {MaxLength} characters"
        : PodDirectories.IsUuid(name) ? "the name of the pod looks like the UUID of a pod"
        : null;

    /// <summary>The UUID of the pod that has a name; null if none has.</summary>
    public string? Find(string name) =>
        FindFault(name) is null && Read(Path.Combine(_directory, name)) is { } uuid && pods.Find(uuid) is not null ? uuid : null;

    /// <summary>Gives a name to a pod whose lock the caller holds.</summary>
    /// <exception cref="PodException">Another pod has the name.</exception>
    public async Task ClaimAsync(string name, string uuid, CancellationToken cancellationToken)
    {
        PodDirectories.MakeDirectory(_directory);
        using LockFile mine = await LockAsync(cancellationToken).ConfigureAwait(false);
        string path = Path.Combine(_directory, name);
        if (Read(path) is { } holder && holder != uuid && !IsStale(holder))
        {
            throw Taken(name, holder);
        }

        // A name that can be seen is complete.
        string temporary = Path.Combine(_directory, "." + uuid);
        await File.WriteAllTextAsync(temporary, uuid + "\n", CancellationToken.None).ConfigureAwait(false);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Takes the name from a pod whose lock the caller holds: nobody else does while it is held.</summary>
    public bool Free(string name, string uuid)
    {
        string path = Path.Combine(_directory, name);
        if (FindFault(name) is not null || Read(path) != uuid)
        {
            return false;
        }

        File.Delete(path);
        return true;
    }

    /// <summary>Removes the names of pods that are gone, and what interrupted calls have left; tells how many.</summary>
    public async Task<int> RemoveStaleAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_directory))
        {
            return 0;
        }

        int removed = 0;
        using LockFile mine = await LockAsync(cancellationToken).ConfigureAwait(false);
        foreach (string path in Directory.EnumerateFiles(_directory).ToList())
        {
            if (Path.GetFileName(path) != LockName && (Path.GetFileName(path)[0] == '.' || Read(path) is not { } holder || IsStale(holder)))
            {
                File.Delete(path);
                removed++;
            }
        }

        return removed;
    }

    public static PodException Taken(string name, string holder) => new(
        PodFailure.NameTaken, $"the name '{name}' is taken by the pod {holder}", "choose another name, or remove that pod");

    /// <summary>Whether nothing of a pod is left. Whoever makes one takes its lock first.</summary>
    private bool IsStale(string uuid) => !PodDirectories.IsUuid(uuid) || (!pods.IsLocked(uuid) && pods.Find(uuid) is null);

    private Task<LockFile> LockAsync(CancellationToken cancellationToken) => LockFile.WaitExclusiveAsync(Path.Combine(_directory, LockName), cancellationToken);

    private static string? Read(string path)
    {
        try
        {
            return Encoding.ASCII.GetString(File.ReadAllBytes(path)).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
