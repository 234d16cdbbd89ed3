namespace Appc.Cli.CommandLine;

/// <summary>One app on the command line.</summary>
/// <param name="Image">The reference of its image.</param>
/// <param name="Options">Its own options.</param>
/// <param name="ProgramArguments">What stands after <c>--</c>.</param>
internal sealed record AppArguments(string Image, Arguments Options, IReadOnlyList<string> ProgramArguments);
