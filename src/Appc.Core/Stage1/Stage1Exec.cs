namespace Appc.Stage1;

/// <summary>A command that was started in an app, as a flavour hands it over.</summary>
public sealed record Stage1Exec
{
    /// <summary>Its process id in the namespace of this process.</summary>
    public required int Pid { get; init; }

    /// <summary>Takes what it reads; with a terminal, what is typed.</summary>
    public required Stream StandardInput { get; init; }

    /// <summary>Gives what it writes; with a terminal, all of it.</summary>
    public required Stream StandardOutput { get; init; }

    /// <summary>Gives what it writes to its standard error; null with a terminal.</summary>
    public Stream? StandardError { get; init; }

    /// <summary>Ends with the command. Never fails.</summary>
    public required Task<Stage1Exit> Ended { get; init; }

    /// <summary>Sends it a signal by its number; does nothing if it has ended.</summary>
    public required Action<int> Signal { get; init; }

    /// <summary>Changes the size of its terminal; null without one.</summary>
    public Action<TerminalSize>? Resize { get; init; }
}
