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
        if (arguments.Operands.Count != 2)
        {
            throw new UsageException("an image and the file to write are needed");
        }

        StoredImage image = await context.Images.ResolveAsync(arguments.Operands[0], cancellationToken);
        await context.Images.ExportAsync(image.Id, arguments.Operands[1], arguments.Has("overwrite"), cancellationToken);
        return ExitCodes.Success;
    }
}
