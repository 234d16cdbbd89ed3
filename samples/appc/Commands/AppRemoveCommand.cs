using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

internal sealed class AppRemoveCommand : Command
{
    public override string Name => "app rm";

    public override string Synopsis => "[--force] [--timeout DURATION] POD APP...";

    public override string Summary => "stops apps of a running pod and takes them out of it, with their files and logs";

    public override void Define(OptionSet options) => options.Flag("force").Value("timeout");

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        AppNames.ForEachAsync(arguments, context, (pod, app) => pod.RemoveAppAsync(app, AppNames.Grace(arguments), cancellationToken), cancellationToken);
}
