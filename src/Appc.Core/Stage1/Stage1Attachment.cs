namespace Appc.Stage1;

/// <summary>The standard input of an app that runs, as a flavour hands it over. Disposing <see cref="Input"/> lets it go.</summary>
public sealed record Stage1Attachment
{
    /// <summary>Takes what the app reads; with a terminal, what is typed.</summary>
    public required Stream Input { get; init; }

    /// <summary>
    /// Ends the app's input: it reads the end once everybody who is attached has let the input go. Null with a terminal, on which the
    /// end of the input is a character.
    /// </summary>
    public Action? CloseInput { get; init; }

    /// <summary>Changes the size of its terminal; null without one.</summary>
    public Action<TerminalSize>? Resize { get; init; }

    /// <summary>
    /// Called once the app has ended: completes when all that it has written is in its log file. Null where a program
    /// writes there by itself.
    /// </summary>
    public Func<Task>? DrainAsync { get; init; }

    /// <summary>Called when nobody needs the attachment any more; null if there is nothing to do.</summary>
    public Action? Release { get; init; }
}
