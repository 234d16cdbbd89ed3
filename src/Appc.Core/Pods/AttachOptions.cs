using Appc.Stage1;

namespace Appc.Pods;

/// <summary>How to attach to the streams of an app.</summary>
public sealed record AttachOptions
{
    /// <summary>
    /// Whether to attach to the app's standard input. If <see langword="true"/>, an app without an open one is an error.
    /// </summary>
    /// <value>The default value is null: if it has one.</value>
    public bool? Input { get; init; }

    /// <summary>Whether the output begins with all that the app has written so far.</summary>
    /// <value>The default value is <see langword="false"/>: with what it writes from now on.</value>
    public bool FromStart { get; init; }

    /// <summary>Size to give the app's terminal; of no effect without one.</summary>
    /// <value>The default value is null: it keeps its size, which is 80 by 24 at first.</value>
    public TerminalSize? Size { get; init; }
}
