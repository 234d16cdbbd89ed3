namespace Appc.Stage1.Isolation;

/// <summary>Where in its root an app's program is looked for.</summary>
internal static class ProgramSearch
{
    /// <summary>
    /// The paths to try in turn: the program itself if it is absolute; below the working directory if it has a
    /// slash; otherwise in each directory of PATH, those that are relative below the working directory.
    /// </summary>
    /// <param name="program">The first word of the app's <c>exec</c>.</param>
    /// <param name="workingDirectory">The app's working directory.</param>
    /// <param name="path">The app's PATH.</param>
    internal static IReadOnlyList<string> Candidates(string program, string workingDirectory, string path)
    {
        if (program.StartsWith('/'))
        {
            return [program];
        }

        if (program.Contains('/', StringComparison.Ordinal))
        {
            return [Join(workingDirectory, program)];
        }

        // As in a shell, an empty entry of PATH is the working directory.
        return [.. path.Split(':')
            .Select(d => d.StartsWith('/') ? Join(d, program) : d.Length == 0 ? Join(workingDirectory, program) : Join(Join(workingDirectory, d), program))];
    }

    private static string Join(string directory, string name) =>
        directory.Length == 0 || directory == "/" ? "/" + name : directory.TrimEnd('/') + "/" + name;
}
