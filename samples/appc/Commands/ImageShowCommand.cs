using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageShowCommand : Command
{
    public override string Name => "image show";

    public override string Synopsis => "REF";

    public override string Summary => "shows one stored image: where it came from and who signed it";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        StoredImage image = await context.Images.ResolveAsync(arguments.Single("an image"), cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json => ImageText.Write(json, image));
            return ExitCodes.Success;
        }

        Line("id", image.Id.ToString());
        Line("name", image.Manifest.Name.ToString());
        Line("labels", ImageText.Labels(image.Manifest.Labels));
        Line("archive", ProgressLine.Size(image.ArchiveBytes));
        Line("imported", ImageText.Time(image.Provenance.Imported));
        Line("last used", ImageText.Time(image.LastUsed));
        Line("source", image.Provenance.Source);
        Line("signed by", image.Provenance.Signer is { } signer
            ? $"{signer.PrimaryFingerprint} {signer.UserId} ({signer.Algorithm}, {ImageText.Time(signer.Created)})"
            : ImageText.SignedBy(image));
        if (image.Manifest.App is { } app)
        {
            Line("exec", string.Join(' ', app.Exec));
            Line("user", $"{app.User}:{app.Group}");
        }

        return ExitCodes.Success;

        void Line(string what, string value) => context.Out.WriteLine($"{what + ":",-11}{Clean.Line(value)}".TrimEnd());
    }
}
