using System.Globalization;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class EventsCommand : Command
{
    public override string Name => "events";

    public override string Synopsis => "[--since-snapshot] [--no-follow] [UUID]";

    public override string Summary => "tells what happens to pods, as it happens";

    public override void Define(OptionSet options) => options.Flag("since-snapshot").Flag("no-follow").Flag("follow");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        bool follow = !arguments.Has("no-follow");
        string? pod = arguments.Operands.Count == 0 ? null : arguments.Single("a pod");
        var options = new PodEventOptions { Pod = pod, Snapshot = !follow || arguments.Has("since-snapshot"), Capacity = follow ? 1024 : int.MaxValue };
        using PodEventSubscription subscription = await context.Runtime.SubscribeAsync(options, cancellationToken);
        while (follow ? await subscription.Reader.WaitToReadAsync(cancellationToken) : subscription.Reader.TryPeek(out _))
        {
            while (subscription.Reader.TryRead(out PodEvent? next))
            {
                Write(context, next);
                if (pod is not null && next.Kind == PodEventKind.Removed)
                {
                    return ExitCodes.Success;
                }
            }
        }

        return ExitCodes.Success;
    }

    private static void Write(CliContext context, PodEvent next)
    {
        if (context.Json)
        {
            // A line each: whoever reads them waits for no end.
            context.WriteJsonLine(json =>
            {
                json.WriteStartObject();
                json.WriteString("kind", PodText.Kind(next.Kind));
                json.WriteString("uuid", next.Uuid);
                json.WriteString("name", next.Name);
                json.WriteString("app", next.App);
                json.WriteTime("time", next.Time);
                json.WriteNumberOrNull("exitCode", next.ExitCode);
                json.WriteString("signal", next.Signal);
                json.WriteBoolean("fromSnapshot", next.FromSnapshot);
                json.WriteEndObject();
            });
            return;
        }

        string more = next.ExitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $" {code}") : "";
        context.Out.WriteLine(Clean.Line(
            $"{JsonText.Time(next.Time)} {next.Uuid} {PodText.Kind(next.Kind)}{(next.App is null ? "" : " " + next.App)}{more}{(next.Signal is null ? "" : " " + next.Signal)}{(next.Name is null ? "" : $" ({next.Name})")}"));
    }
}
