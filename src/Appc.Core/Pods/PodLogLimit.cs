using Appc.Linux;

namespace Appc.Pods;

/// <summary>Keeps the logs of a pod to their limit, whoever is looking at them.</summary>
internal static class PodLogLimit
{
    /// <summary>The least that can be asked for.</summary>
    public const long Least = SparseFile.Unit;

    /// <summary>The logs, without what is noted about them.</summary>
    public static IEnumerable<string> FilesOf(string directory) =>
        Directory.EnumerateFiles(Path.Combine(directory, "logs")).Where(f => !Path.GetFileName(f).StartsWith('.'));

    /// <summary>Frees what is too much. Where the file system cannot, the logs stay as they are.</summary>
    public static void Enforce(string directory, long limit)
    {
        try
        {
            foreach (string path in FilesOf(directory))
            {
                SparseFile.KeepLast(path, limit);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // The pod has moved on.
        }
        catch (ErrnoException e) when (e.Number is Errno.EOPNOTSUPP or Errno.ENOSYS)
        {
            // Nothing is lost by it but space.
        }
    }
}
