using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class CatManifestCommand : Command
{
    public override string Name => "cat-manifest";

    public override string Synopsis => "UUID";

    public override string Summary => "prints the manifest of a pod";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        context.Out.WriteLine((await pod.GetManifestAsync(cancellationToken)).ToJson(indented: true));
        return ExitCodes.Success;
    }
}
