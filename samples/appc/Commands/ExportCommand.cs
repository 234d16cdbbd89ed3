using Appc.Cli.CommandLine;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class ExportCommand : Command
{
    public override string Name => "export";

    public override string Synopsis => "[--app NAME] [--overwrite] UUID OUT.aci";

    public override string Summary => "makes an image of what an app has left in an ended pod";

    public override void Define(OptionSet options) => options.Value("app").Flag("overwrite");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        (string uuid, string file) = arguments.Pair("a pod", "the file to write");
        await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
        ImageId id = await pod.ExportAsync(file, arguments.Get("app"), new AciBuildOptions { Overwrite = arguments.Has("overwrite") }, cancellationToken);
        BuildCommand.Tell(context, id, file);
        return ExitCodes.Success;
    }
}
