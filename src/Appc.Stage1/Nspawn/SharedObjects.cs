namespace Appc.Stage1.Nspawn;

/// <summary>What programs load: asked of the dynamic loader itself, so that the answer is the loader's.</summary>
internal static class SharedObjects
{
    // Systemd without it goes on without any filter.
    private const string Seccomp = "libseccomp.so.2";

    // Newer releases of systemd load these when they need them.
    private static readonly string[] LoadedLater = [Seccomp, "libmount.so.1", "libselinux.so.1", "libapparmor.so.1", "libacl.so.1"];

    /// <summary>The shared objects of some programs, the loader among them.</summary>
    /// <exception cref="LaunchException">One of them is missing on the host.</exception>
    internal static async Task<IReadOnlyCollection<string>> FindAsync(IReadOnlyList<string> programs, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<string> objects = await ListAsync(programs, cancellationToken).ConfigureAwait(false);
        string[] directories = [.. objects.Select(o => Path.GetDirectoryName(o)!).Distinct()];
        if (!directories.Any(d => File.Exists($"{d}/{Seccomp}")))
        {
            throw new LaunchException("build the stage1 tree", 0, $"{Seccomp} is missing on this host, without which systemd filters no system calls", "Install it: apt-get install libseccomp2");
        }

        string[] more = [.. LoadedLater.Select(n => directories.Select(d => d + "/" + n).FirstOrDefault(File.Exists)).OfType<string>().Except(objects)];
        return more.Length == 0 ? objects : [.. objects.Union(await ListAsync(more, cancellationToken).ConfigureAwait(false)).Union(more).Order(StringComparer.Ordinal)];
    }

    private static async Task<IReadOnlyCollection<string>> ListAsync(IReadOnlyList<string> programs, CancellationToken cancellationToken)
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
