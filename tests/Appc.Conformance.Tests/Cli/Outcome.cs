namespace Appc.Conformance.Tests.Cli;

/// <summary>How a program ended and what it wrote.</summary>
public sealed record Outcome(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string FirstLine => Output.Split('\n')[0];

    public override string ToString() => $"exit code {ExitCode}\n--- stdout\n{Output}\n--- stderr\n{Error}";
}
