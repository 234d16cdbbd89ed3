using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

internal sealed class AppStopCommand : Command
{
    public override string Name => "app stop";

    public override string Synopsis => "[--force] [--timeout DURATION] POD APP...";

    public override string Summary => "stops apps of a running pod, and returns when they have ended";

    public override void Define(OptionSet options) => options.Flag("force").Value("timeout");

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        AppNames.ForEachAsync(arguments, context, (pod, app) => pod.StopAppAsync(app, AppNames.Grace(arguments), cancellationToken), cancellationToken);
}
