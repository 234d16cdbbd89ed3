using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class RunPreparedCommand : Command
{
    public override string Name => "run-prepared";

    public override string Synopsis => "[--detach] [--rm] UUID";

    public override string Summary => "runs a prepared pod; output and exit code are its apps'";

    public override void Define(OptionSet options) => options.Flag("detach").Flag("rm");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        bool remove = PodRunner.Removes(arguments);
        await using Pod pod = await context.Runtime.RunPreparedAsync(
            arguments.Single("a pod"), context.TrustIfSaid, cancellationToken);
        if (arguments.Has("detach"))
        {
            context.Out.WriteLine(pod.Uuid);
            return ExitCodes.Success;
        }

        return await PodRunner.AttendAsync(context, pod, remove, cancellationToken);
    }
}
