using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

/// <summary>The arguments of commands about apps of a pod.</summary>
internal static class AppNames
{
    public static (string Pod, IReadOnlyList<string> Apps) Of(Arguments arguments) => arguments.Operands.Count >= 2
        ? (arguments.Operands[0], [.. arguments.Operands.Skip(1)])
        : throw new UsageException("a pod and an app are missing");

    /// <summary>How long an app has to stop; null for its own time.</summary>
    public static TimeSpan? Grace(Arguments arguments) =>
        arguments.Has("force") ? TimeSpan.Zero : arguments.Get("timeout") is null ? null : arguments.GetDuration("timeout", TimeSpan.Zero);
}
