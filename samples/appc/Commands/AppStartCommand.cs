using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class AppStartCommand : Command
{
    public override string Name => "app start";

    public override string Synopsis => "POD APP...";

    public override string Summary => "starts apps of a running pod that were not started or have ended";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string uuid, IReadOnlyList<string> apps) = AppNames.Of(arguments);
        await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
        return await context.ForEachAsync(apps, async app =>
        {
            await pod.StartAppAsync(app, cancellationToken);
            context.Out.WriteLine(app);
        });
    }
}
