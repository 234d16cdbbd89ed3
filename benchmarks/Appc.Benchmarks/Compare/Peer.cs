namespace Appc.Benchmarks.Compare;

/// <summary>Another program to compare with.</summary>
/// <param name="Name">How it is shown.</param>
/// <param name="Command">Program and arguments.</param>
/// <param name="Namespace">File of the mount namespace to run it in; null for the own one.</param>
internal sealed record Peer(string Name, IReadOnlyList<string> Command, string? Namespace)
{
    /// <summary>Runs it, and returns its exit code.</summary>
    public int Run(string? directory = null)
    {
        string[] words = [.. Command.Select(w => directory is null ? w : w.Replace("{}", directory, StringComparison.Ordinal))];
        return Namespace is null ? Spawn.Run(words) : Spawn.RunIn(Namespace, words);
    }
}
