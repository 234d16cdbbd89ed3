using Appc.Cli.CommandLine;
using Appc.Manifests;

namespace Appc.Cli.Commands;

internal sealed class ImageRemoveCommand : Command
{
    public override string Name => "image rm";

    public override string Synopsis => "REF...";

    public override string Summary => "removes images that no pod and no other image uses";

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        context.ForEachAsync(arguments.AtLeastOne("an image"), async reference =>
        {
            ImageId id = await context.Images.ResolveIdAsync(reference, cancellationToken);
            await context.Images.RemoveAsync(id, cancellationToken);
            context.Out.WriteLine(id);
        });
}
