using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class StopCommand : Command
{
    public override string Name => "stop";

    public override string Synopsis => "[--force] [--timeout DURATION] UUID...";

    public override string Summary => "stops pods, and returns when they have ended";

    public override void Define(OptionSet options) => options.Flag("force").Value("timeout");

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        TimeSpan? grace = arguments.Has("force") ? TimeSpan.Zero : arguments.Get("timeout") is null ? null : arguments.GetDuration("timeout", TimeSpan.Zero);
        return context.ForEachAsync(arguments.AtLeastOne("a pod"), async uuid =>
        {
            await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
            await pod.StopAsync(grace, cancellationToken);
            context.Out.WriteLine(pod.Uuid);
        });
    }
}
