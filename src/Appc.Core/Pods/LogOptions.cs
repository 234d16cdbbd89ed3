namespace Appc.Pods;

/// <summary>What to copy of a pod's logs.</summary>
public sealed record LogOptions
{
    /// <summary>Name of the one app to copy from.</summary>
    /// <value>The default value is null: all apps.</value>
    public string? App { get; init; }

    /// <summary>Whether to go on until the pod has ended and all is copied.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Follow { get; init; }

    /// <summary>With how many of the last lines each stream begins. Of no effect on streams in which <see cref="Cursor"/> has a position.</summary>
    /// <value>The default value is null: with all that is there. With 0, a copy to nowhere gives a cursor of this moment.</value>
    public int? Tail { get; init; }

    /// <summary>
    /// The time since when lines are wanted; with <see cref="Tail"/>, of the last ones. Nothing that was written since then is left out. How much is
    /// copied that was written before depends on what is known: with <see cref="Stage1.Stage1Options.LogTimes"/> it is what came within about two seconds,
    /// in old pods of much output within longer; otherwise a stream that was not written to since is left out, and any other copied whole. Of no
    /// effect on streams in which <see cref="Cursor"/> has a position.
    /// </summary>
    /// <value>The default value is null: at any time.</value>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Where to begin; it is moved on with what is copied.</summary>
    /// <value>The default value is null: at the beginning.</value>
    public LogCursor? Cursor { get; init; }
}
