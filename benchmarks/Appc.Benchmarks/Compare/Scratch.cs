namespace Appc.Benchmarks.Compare;

/// <summary>Directories that every contestant finds empty.</summary>
internal static class Scratch
{
    public static Task FreshAsync(string directory)
    {
        // What the one before has not written yet is not counted against the next.
        Directory.CreateDirectory(directory);
        if (Spawn.Run(["rm", "-rf", directory]) != 0 || Spawn.Run(["sync", "-f", Path.GetDirectoryName(directory)!]) != 0)
        {
            throw new InvalidOperationException($"cannot clear {directory}");
        }

        Directory.CreateDirectory(directory);
        return Task.CompletedTask;
    }
}
