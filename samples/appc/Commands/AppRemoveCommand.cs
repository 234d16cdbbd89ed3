using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class AppRemoveCommand : Command
{
    public override string Name => "app rm";

    public override string Synopsis => "[--force] [--timeout DURATION] POD APP...";

    public override string Summary => "stops apps of a running pod and takes them out of it, with their files and logs";

    public override void Define(OptionSet options) => options.Flag("force").Value("timeout");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string uuid, IReadOnlyList<string> apps) = AppNames.Of(arguments);
        await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
        return await context.ForEachAsync(apps, async app =>
        {
            await pod.RemoveAppAsync(app, AppNames.Grace(arguments), cancellationToken);
            context.Out.WriteLine(app);
        });
    }
}
