using Appc.Cli.CommandLine;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageRemoveCommand : Command
{
    public override string Name => "image rm";

    public override string Synopsis => "REF...";

    public override string Summary => "removes images that no pod and no other image uses";

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken) =>
        context.ForEachAsync(arguments.AtLeastOne("an image"), async reference =>
        {
            StoredImage image = await context.Images.ResolveAsync(reference, cancellationToken);
            await context.Images.RemoveAsync(image.Id, cancellationToken);
            context.Out.WriteLine(image.Id);
        });
}
