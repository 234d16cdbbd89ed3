namespace Appc.Linux;

/// <summary>Removes directory trees.</summary>
internal static class TreeRemover
{
    public static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
