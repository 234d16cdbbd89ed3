using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class RunPreparedCommand : Command
{
    public override string Name => "run-prepared";

    public override string Synopsis => "[--detach] [--rm] [--interactive] UUID";

    public override string Summary => "runs a prepared pod; output and exit code are its apps'";

    public override void Define(OptionSet options) => PodRunner.Define(options.Flag("interactive"));

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        PodRunner.Configure(arguments, context);
        bool remove = PodRunner.Removes(arguments);
        string uuid = arguments.Single("a pod");
        var options = new RunPreparedOptions { Trust = context.TrustIfSaid };
        if (context.Caller.Sockets.Count > 0)
        {
            await using Pod prepared = await context.Runtime.OpenAsync(uuid, cancellationToken);
            CallerSockets.Assign(options, await prepared.GetManifestAsync(cancellationToken), context.Caller);
        }

        await using Pod pod = await context.Runtime.RunPreparedAsync(uuid, options, cancellationToken);
        return await PodRunner.GoOnAsync(context, arguments, pod, remove, arguments.Has("interactive"), cancellationToken);
    }
}
