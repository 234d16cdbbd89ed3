using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class PrepareCommand : Command
{
    public override string Name => "prepare";

    public override string Synopsis => "[POD OPTIONS] REF [APP OPTIONS] [-- ARGS] [--- REF ...]";

    public override string Summary => "prepares a pod without running it; prints its UUID";

    public override bool Fetches => true;

    public override void Define(OptionSet options) => PodArguments.Define(options);

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        PodArguments pod = PodArguments.Sort(arguments.Tokens);
        PodSpec spec = await new PodSpecFactory(context).CreateAsync(pod, cancellationToken);
        await using Pod prepared = await context.Runtime.PrepareAsync(spec, cancellationToken);
        await PodRunner.SaveUuidAsync(pod.Pod, prepared.Uuid);
        context.Out.WriteLine(prepared.Uuid);
        return ExitCodes.Success;
    }
}
