using Appc.Cli.CommandLine;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Cli.Commands;

internal sealed class BuildCommand : Command
{
    public override string Name => "build";

    public override string Synopsis => "--manifest FILE --rootfs DIR [--compression gzip|none|bzip2] [--owner-root] [--overwrite] OUT.aci";

    public override string Summary => "builds an image from a manifest and a directory, byte for byte reproducible";

    public override void Define(OptionSet options) =>
        options.Value("manifest").Value("rootfs").Value("compression").Flag("owner-root").Flag("overwrite");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string output = arguments.Single("the file to write, OUT.aci,");
        string rootfs = arguments.Require("rootfs");
        string manifestPath = arguments.Require("manifest");
        var options = new AciBuildOptions
        {
            Compression = (arguments.Get("compression") ?? "gzip") switch
            {
                "gzip" => ArchiveCompression.Gzip,
                "none" => ArchiveCompression.None,
                "bzip2" => ArchiveCompression.Bzip2,
                string other => throw new UsageException($"--compression: '{other}' is none of gzip, none, bzip2"),
            },
            OwnerRoot = arguments.Has("owner-root"),
            Overwrite = arguments.Has("overwrite"),
        };

        ImageManifest manifest;
        try
        {
            manifest = ImageManifest.Parse(await InputFiles.ReadManifestAsync(manifestPath, cancellationToken));
        }
        catch (ManifestException exception)
        {
            throw new ManifestException($"{manifestPath}: {exception.Message}", exception.Hint, exception);
        }

        ImageId id = await AciWriter.BuildAsync(manifest, rootfs, output, options, cancellationToken);
        Tell(context, id, output);
        return ExitCodes.Success;
    }

    /// <summary>Tells which image a file holds now.</summary>
    public static void Tell(CliContext context, ImageId id, string output)
    {
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("id", id.ToString());
                json.WriteString("path", Path.GetFullPath(output));
                json.WriteEndObject();
            });
        }
        else
        {
            context.Out.WriteLine(id);
        }
    }
}
