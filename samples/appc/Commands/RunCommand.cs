using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class RunCommand : Command
{
    public override string Name => "run";

    public override string Synopsis => "[POD OPTIONS] REF [APP OPTIONS] [-- ARGS] [--- REF ...]";

    public override string Summary => "runs a pod; output and exit code are its apps'";

    public override bool Fetches => true;

    public override void Define(OptionSet options)
    {
        PodArguments.Define(options);
        PodRunner.Define(options);
    }

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        PodRunner.Configure(arguments, context);
        bool remove = PodRunner.Removes(arguments);
        PodArguments pod = PodArguments.Sort([.. arguments.Tokens.Where(t => t.Kind != TokenKind.Option || !PodRunner.IsOwn(t.Text))]);
        PodSpec spec = await new PodSpecFactory(context).CreateAsync(pod, cancellationToken);
        CallerSockets.Assign(spec, context.Caller);
        await using Pod running = await context.Runtime.RunAsync(spec, cancellationToken);
        await PodRunner.SaveUuidAsync(pod.Pod, running.Uuid);
        return await PodRunner.GoOnAsync(context, arguments, running, remove, pod.Pod.Has("interactive"), cancellationToken);
    }
}
