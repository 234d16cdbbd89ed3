namespace Appc.Cli.CommandLine;

/// <summary>The command line itself is wrong: the program ends with 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
