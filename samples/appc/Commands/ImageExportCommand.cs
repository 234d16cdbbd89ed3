using Appc.Cli.CommandLine;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageExportCommand : Command
{
    public override string Name => "image export";

    public override string Synopsis => "[--overwrite] REF OUT.aci";

    public override string Summary => "writes the archive as it was signed, and its signature beside it";

    public override void Define(OptionSet options) => options.Flag("overwrite");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string reference, string file) = arguments.Pair("an image", "the file to write");
        StoredImage image = await context.Images.ResolveAsync(reference, cancellationToken);
        await context.Images.ExportAsync(image.Id, file, arguments.Has("overwrite"), cancellationToken);
        return ExitCodes.Success;
    }
}
