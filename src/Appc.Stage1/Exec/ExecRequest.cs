using Appc.Stage1.Isolation;

namespace Appc.Stage1.Exec;

/// <summary>A command and all that isolates it, found out and decided.</summary>
internal sealed record ExecRequest
{
    /// <summary>What is started, for messages.</summary>
    internal required string Subject { get; init; }

    internal required Stage1Command Command { get; init; }

    internal required AppUser User { get; init; }

    internal required IReadOnlyDictionary<string, string> Environment { get; init; }

    internal required string WorkingDirectory { get; init; }

    internal required CapabilitySet Capabilities { get; init; }

    internal required bool CapabilitiesRetained { get; init; }

    internal required bool NoNewPrivileges { get; init; }

    internal required int LastCapability { get; init; }

    /// <summary>The filters of system calls to install, the last one last.</summary>
    internal required IReadOnlyList<byte[]> Filters { get; init; }

    /// <summary>Whether the filters let pass what comes after them, so that they can be installed while that is still allowed.</summary>
    internal bool FiltersFirst { get; init; }

    internal int? OomScoreAdjustment { get; init; }

    /// <summary>What security modules are told before the command is executed: file in the <c>attr</c> directory, and text.</summary>
    internal IReadOnlyList<(string Attribute, string Text)> Labels { get; init; } = [];

    /// <summary>The host's id of the user; owns the terminal.</summary>
    internal required uint HostUid { get; init; }

    /// <summary>The app's environment, and over it the command's.</summary>
    internal static IReadOnlyDictionary<string, string> MergeEnvironment(Stage1Pod pod, Stage1App app, AppUser user, Stage1Command command)
    {
        Dictionary<string, string> environment = new(AppEnvironment.Build(pod, app, user), StringComparer.Ordinal);
        if (command.Terminal is not null)
        {
            environment.TryAdd("TERM", AppEnvironment.DefaultTerminal);
        }

        foreach ((string name, string value) in command.Environment)
        {
            environment[name] = value;
        }

        return environment;
    }

    /// <summary>Where the command starts.</summary>
    internal static string DirectoryOf(Stage1App app, Stage1Command command) =>
        command.WorkingDirectory ?? (app.App.WorkingDirectory.Length == 0 ? "/" : app.App.WorkingDirectory);
}
