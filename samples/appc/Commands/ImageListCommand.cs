using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageListCommand : Command
{
    public override string Name => "image list";

    public override string Synopsis => string.Empty;

    public override string Summary => "lists the stored images, newest first";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        IReadOnlyList<StoredImage> images = await context.Images.ListAsync(cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartArray();
                foreach (StoredImage image in images)
                {
                    ImageText.Write(json, image);
                }

                json.WriteEndArray();
            });
            return ExitCodes.Success;
        }

        var table = new Table("ID", "NAME", "LABELS", "SIZE", "IMPORTED", "LAST USED", "SIGNED BY");
        foreach (StoredImage image in images)
        {
            string signer = ImageText.SignedBy(image);
            table.Add(
                ImageText.Short(image.Id),
                image.Manifest.Name.ToString(),
                ImageText.Labels(image.Manifest.Labels),
                ProgressLine.Size(image.ArchiveBytes),
                ImageText.Time(image.Provenance.Imported),
                ImageText.Time(image.LastUsed),
                signer.Length > 16 ? signer[^16..] : signer);
        }

        table.WriteTo(context.Out);
        return ExitCodes.Success;
    }
}
