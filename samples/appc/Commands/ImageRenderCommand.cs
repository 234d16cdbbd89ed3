using Appc.Cli.CommandLine;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageRenderCommand : Command
{
    public override string Name => "image render";

    public override string Synopsis => "REF DIR";

    public override string Summary => "writes an image with its dependencies to a new directory";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string reference, string directory) = arguments.Pair("an image", "the directory to make");
        StoredImage image = await context.Images.ResolveAsync(reference, cancellationToken);
        await context.Images.RenderAsync(image.Id, directory, cancellationToken);
        return ExitCodes.Success;
    }
}
