using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class RemoveCommand : Command
{
    public override string Name => "rm";

    public override string Synopsis => "UUID...";

    public override string Summary => "removes pods that do not run";

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        context.ForEachAsync(arguments.AtLeastOne("a pod"), async uuid =>
        {
            await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
            await pod.RemoveAsync(cancellationToken);
            context.Out.WriteLine(pod.Uuid);
        });
}
