using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

/// <summary>The arguments of commands about apps of a pod.</summary>
internal static class AppNames
{
    /// <summary>Does something to each of the apps that are named after their pod, and prints its name.</summary>
    public static async Task<int> ForEachAsync(Arguments arguments, CliContext context, Func<Pod, string, Task> action, CancellationToken cancellationToken)
    {
        if (arguments.Operands.Count < 2)
        {
            throw new UsageException("a pod and an app are missing");
        }

        await using Pod pod = await context.Runtime.OpenAsync(arguments.Operands[0], cancellationToken);
        return await context.ForEachAsync([.. arguments.Operands.Skip(1)], async app =>
        {
            await action(pod, app);
            context.Out.WriteLine(app);
        });
    }

    /// <summary>How long an app has to stop; null for its own time.</summary>
    public static TimeSpan? Grace(Arguments arguments) =>
        arguments.Has("force") ? TimeSpan.Zero : arguments.Get("timeout") is null ? null : arguments.GetDuration("timeout", TimeSpan.Zero);
}
