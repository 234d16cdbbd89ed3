using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class CollectCommand : Command
{
    public override string Name => "gc";

    public override string Synopsis => "[--grace-period DURATION] [--expire-prepared DURATION] [--mark-only]";

    public override string Summary => "removes what ended pods and interrupted calls have left";

    public override void Define(OptionSet options) =>
        options.Value("grace-period").Value("expire-prepared").Flag("mark-only");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        var options = new GarbageOptions { MarkOnly = arguments.Has("mark-only") };
        options.GracePeriod = arguments.GetDuration("grace-period", options.GracePeriod);
        options.ExpirePrepared = arguments.GetDuration("expire-prepared", options.ExpirePrepared);
        GarbageReport report = await context.Runtime.CollectGarbageAsync(options, cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteStrings("removed", report.Removed);
                json.WriteStrings("marked", report.Marked);
                json.WriteStartArray("pods");
                foreach (GarbagePod pod in report.Pods)
                {
                    json.WriteStartObject();
                    json.WriteString("uuid", pod.Uuid);
                    json.WriteString("name", pod.Name);
                    json.WriteString("action", Action(pod.Action));
                    json.WriteNumber("bytesFreed", pod.BytesFreed);
                    json.WriteString("failure", pod.Failure);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteNumber("bytesFreed", report.BytesFreed);
                json.WriteNumber("controlGroups", report.ControlGroups);
                json.WriteNumber("idRanges", report.IdRanges);
                json.WriteNumber("mounts", report.Mounts);
                json.WriteNumber("podLeftovers", report.PodLeftovers);
                json.WriteNumber("imageLeftovers", report.ImageLeftovers);
                json.WriteStrings("failures", report.Failures);
                json.WriteEndObject();
            });
        }
        else
        {
            WriteText(context.Out, report);
        }

        foreach (string failure in report.Failures)
        {
            context.Reporter.Error(Clean.Line("gc: " + failure));
        }

        return report.Failures.Count == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static string Action(GarbageAction action) => action.ToString().ToLowerInvariant();

    private static void WriteText(TextWriter output, GarbageReport report)
    {
        foreach (GarbagePod pod in report.Pods.Where(p => p.Action != GarbageAction.Failed))
        {
            output.WriteLine($"{Action(pod.Action)} {pod.Uuid}{(pod.Name is null ? "" : $" ({pod.Name})")}");
        }

        (long Count, string What)[] freed =
        [
            (report.BytesFreed, "bytes on disk"),
            (report.ControlGroups, "control groups"),
            (report.IdRanges, "ranges of user ids"),
            (report.Mounts, "mounts"),
            (report.PodLeftovers, "leftovers of pods"),
        ];
        if (freed.Any(f => f.Count > 0))
        {
            output.WriteLine("freed " + string.Join(", ", freed.Where(f => f.Count > 0).Select(f => $"{f.Count} {f.What}")));
        }

        if (report.ImageLeftovers > 0)
        {
            output.WriteLine($"removed {report.ImageLeftovers} leftovers of interrupted imports");
        }
    }
}
