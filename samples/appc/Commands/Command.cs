using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

/// <summary>One command: what it is called, what it takes, what it does.</summary>
internal abstract class Command
{
    public abstract string Name { get; }

    /// <summary>The arguments, as help shows them.</summary>
    public abstract string Synopsis { get; }

    /// <summary>What it does, in one line.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether it may ask servers for images.</summary>
    public virtual bool Fetches => false;

    public virtual void Define(OptionSet options)
    {
    }

    /// <summary>Does it, and returns the exit code.</summary>
    public abstract Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken);
}
