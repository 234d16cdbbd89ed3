using Appc.Stage1;

namespace Appc.Pods;

/// <summary>How to run a command in an app that runs.</summary>
public sealed record ExecOptions
{
    /// <summary>Whether it runs as the pod's root instead of as the app's user. It never has more capabilities than the app may have.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool AsRoot { get; init; }

    /// <summary>Where it starts, an absolute path in the app's root.</summary>
    /// <value>The default value is null: the app's own working directory.</value>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables in addition to the app's, or instead of them.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Size of the terminal to give it.</summary>
    /// <value>The default value is null: pipes, and no terminal.</value>
    public TerminalSize? Terminal { get; init; }
}
