namespace Appc.Stage1.Nspawn;

/// <summary>What programs load: asked of the dynamic loader itself, so that the answer is the loader's.</summary>
internal static class SharedObjects
{
    /// <summary>The shared objects of some programs, the loader among them.</summary>
    /// <exception cref="LaunchException">One of them is missing on the host.</exception>
    internal static async Task<IReadOnlyCollection<string>> FindAsync(IReadOnlyList<string> programs, CancellationToken cancellationToken)
    {
        string output = await ProgramOutput.ReadAsync("/usr/bin/ldd", programs, cancellationToken).ConfigureAwait(false)
            ?? throw new LaunchException(
                "build the stage1 tree", 0, $"ldd does not tell the shared objects of {string.Join(" and ", programs)}", "Install it: apt-get install libc-bin");
        return Parse(output);
    }

    /// <summary>Reads what ldd prints: <c>name => path (address)</c>, or <c>path (address)</c> for the loader.</summary>
    internal static IReadOnlyCollection<string> Parse(string output)
    {
        SortedSet<string> paths = new(StringComparer.Ordinal);
        foreach (string line in output.Split('\n'))
        {
            string text = line.Trim();
            if (text.EndsWith("=> not found", StringComparison.Ordinal))
            {
                throw new LaunchException("build the stage1 tree", 0, $"a shared object of systemd is missing on this host: {text}");
            }

            int arrow = text.IndexOf("=> ", StringComparison.Ordinal);
            string rest = arrow >= 0 ? text[(arrow + 3)..] : text;
            int end = rest.IndexOf(" (", StringComparison.Ordinal);
            if (end > 0 && rest.StartsWith('/'))
            {
                paths.Add(rest[..end]);
            }
        }

        return paths;
    }
}
