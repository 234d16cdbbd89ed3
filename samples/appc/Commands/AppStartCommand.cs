using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

internal sealed class AppStartCommand : Command
{
    public override string Name => "app start";

    public override string Synopsis => "POD APP...";

    public override string Summary => "starts apps of a running pod that were not started or have ended";

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        AppNames.ForEachAsync(arguments, context, (pod, app) => pod.StartAppAsync(app, cancellationToken), cancellationToken);
}
