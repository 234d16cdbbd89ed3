namespace Appc.Stage1.Isolation;

/// <summary>Which security modules this host's kernel runs. All is read below a directory, so that tests can have other hosts.</summary>
internal sealed class SecurityModules(string root = "/")
{
    // What policies for containers have called it for years.
    private const string UsualFileContext = "system_u:object_r:container_file_t:s0";

    internal bool HasSelinux => File.Exists(At("sys/fs/selinux/enforce"));

    internal bool HasAppArmor => Read("sys/module/apparmor/parameters/enabled") is ['Y' or 'y' or '1', ..];

    /// <summary>The directory that tells of AppArmor.</summary>
    internal string AppArmorModule => At("sys/module/apparmor");

    /// <summary>The file of a process that tells AppArmor what to do at the next execution; newer kernels have one that is AppArmor's alone.</summary>
    internal string AppArmorAttribute => Directory.Exists(At("proc/self/attr/apparmor")) ? "apparmor/exec" : "exec";

    /// <summary>Whether AppArmor has loaded a profile; null if that cannot be seen.</summary>
    internal bool? KnowsProfile(string name) =>
        Read("sys/kernel/security/apparmor/profiles") is { } loaded
            ? name == "unconfined" || loaded.Split('\n').Any(l => l.StartsWith(name + " (", StringComparison.Ordinal))
            : null;

    /// <summary>The context of files that a container may write, by the host's policy, without its level.</summary>
    internal string FileContext()
    {
        string? type = Read("etc/selinux/config")?.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.StartsWith("SELINUXTYPE=", StringComparison.Ordinal))?["SELINUXTYPE=".Length..].Trim();
        string? line = type is null || type.Contains('/', StringComparison.Ordinal) ? null
            : Read($"etc/selinux/{type}/contexts/lxc_contexts")?.Split('\n').FirstOrDefault(l => l.Split('=')[0].Trim() == "file");
        string context = line?[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim().Trim('"') ?? UsualFileContext;
        return string.Join(':', (SecurityLabels.IsPlain(context) && context.Split(':').Length >= 3 ? context : UsualFileContext).Split(':')[..3]);
    }

    private string At(string path) => Path.Combine(root, path);

    private string? Read(string path)
    {
        try
        {
            return File.ReadAllText(At(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
