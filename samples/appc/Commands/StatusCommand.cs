using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class StatusCommand : Command
{
    public override string Name => "status";

    public override string Synopsis => "[--wait[=DURATION]] [--wait-ready[=DURATION]] UUID";

    public override string Summary => "shows how a pod and its apps are doing";

    public override void Define(OptionSet options) => options.OptionalValue("wait").OptionalValue("wait-ready");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        if (arguments.Has("wait-ready"))
        {
            TimeSpan limit = arguments.GetDuration("wait-ready", Timeout.InfiniteTimeSpan);
            await pod.WaitUntilReadyAsync(limit == Timeout.InfiniteTimeSpan ? null : limit, cancellationToken);
        }

        if (arguments.Has("wait"))
        {
            await WaitAsync(pod, arguments, cancellationToken);
        }

        PodStatus status = await pod.GetStatusAsync(cancellationToken);
        IReadOnlyList<PodIsolator> isolators = status.Apps.Count == 0 ? [] : await pod.GetIsolatorsAsync(cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json => PodText.Write(json, status, isolators));
        }
        else
        {
            PodText.Write(context.Out, status, isolators);
        }

        return ExitCodes.Success;
    }

    private static async Task WaitAsync(Pod pod, Arguments arguments, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(arguments.GetDuration("wait", Timeout.InfiniteTimeSpan));
        try
        {
            await pod.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over; what the pod is doing then is the answer.
        }
    }
}
