using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>The environment that an app's processes are given (ace.md, "Execution Environment").</summary>
internal static class AppEnvironment
{
    /// <summary>Where programs are looked for unless the app says otherwise.</summary>
    internal const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>What <c>container</c> is set to: names the executor.</summary>
    internal const string ContainerName = "appc";

    /// <summary>The kind of a terminal unless somebody knows better.</summary>
    internal const string DefaultTerminal = "xterm";

    /// <summary>
    /// The variables, each name once: defaults, over them those of the app, and over all those by which the executor
    /// says who it is, and where the metadata service is if there is one.
    /// </summary>
    internal static IReadOnlyDictionary<string, string> Build(Stage1Pod pod, Stage1App app, AppUser user)
    {
        Dictionary<string, string> variables = Build(app.Name, app.App, user);
        if (pod.MetadataUrl is { } url)
        {
            variables["AC_METADATA_URL"] = url;
        }

        if (app.Input == AppInput.Terminal)
        {
            variables.TryAdd("TERM", DefaultTerminal);
        }

        return variables;
    }

    private static Dictionary<string, string> Build(AcName name, App app, AppUser user)
    {
        Dictionary<string, string> variables = new(StringComparer.Ordinal)
        {
            ["PATH"] = DefaultPath,
            ["HOME"] = user.Home,
            ["SHELL"] = user.Shell,
        };
        if (user.Name is not null)
        {
            variables["USER"] = user.Name;
            variables["LOGNAME"] = user.Name;
        }

        foreach (EnvironmentVariable variable in app.Environment)
        {
            variables[variable.Name] = variable.Value;
        }

        variables["AC_APP_NAME"] = name.ToString();
        variables["container"] = ContainerName;
        return variables;
    }
}
