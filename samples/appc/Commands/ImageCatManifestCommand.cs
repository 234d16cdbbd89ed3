using Appc.Cli.CommandLine;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageCatManifestCommand : Command
{
    public override string Name => "image cat-manifest";

    public override string Synopsis => "REF";

    public override string Summary => "prints the manifest of a stored image";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        StoredImage image = await context.Images.ResolveAsync(arguments.Single("an image"), cancellationToken);
        context.Out.WriteLine(image.Manifest.ToJson(indented: true));
        return ExitCodes.Success;
    }
}
