namespace Appc.Stage1;

/// <summary>Paths at which volumes are mounted. The same place can be written in many ways; here each has one.</summary>
internal static class MountPath
{
    /// <summary>The path without empty parts and dots; null if nothing can be mounted there: it is relative, the root, or leads upwards.</summary>
    internal static string? Normalize(string path)
    {
        string[] names = NamesOf(path);
        return path.StartsWith('/') && names.Length > 0 && !names.Contains("..") && !path.Contains('\0', StringComparison.Ordinal)
            ? "/" + string.Join('/', names)
            : null;
    }

    /// <summary>The parts of a path.</summary>
    internal static string[] NamesOf(string path) => [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(n => n != ".")];

    /// <summary>Whether a path is another one, which may end with a slash, or lies below it.</summary>
    internal static bool IsIn(string path, string directory) => path == directory || IsBelow(path, directory.TrimEnd('/'));

    /// <summary>Whether a normal path lies below another one.</summary>
    internal static bool IsBelow(string path, string directory) => path.StartsWith(directory + "/", StringComparison.Ordinal);
}
