namespace Appc.Stage1;

/// <summary>A command to run in an app that runs.</summary>
public sealed record Stage1Command
{
    /// <summary>The program and its arguments. A name without a slash is looked up in the app's <c>PATH</c>.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Variables in addition to the app's, or instead of them.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Where it starts, a path in the app's root; null for the app's own working directory.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Whether it runs as the app's root instead of as the app's user; never with more capabilities than the app may have.</summary>
    public bool AsRoot { get; init; }

    /// <summary>The terminal to give it; null for pipes.</summary>
    public TerminalSize? Terminal { get; init; }
}
