using Appc.Cli.CommandLine;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageExtractCommand : Command
{
    public override string Name => "image extract";

    public override string Synopsis => "REF DIR";

    public override string Summary => "writes an image's own files, without its dependencies, to a new directory";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string reference, string directory) = arguments.Pair("an image", "the directory to make");
        StoredImage image = await context.Images.ResolveAsync(reference, cancellationToken);
        await context.Images.ExtractAsync(image.Id, directory, cancellationToken);
        return ExitCodes.Success;
    }
}
