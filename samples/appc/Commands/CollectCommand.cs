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
                json.WriteNumber("imageLeftovers", report.ImageLeftovers);
                json.WriteStrings("failures", report.Failures);
                json.WriteEndObject();
            });
        }
        else
        {
            foreach (string uuid in report.Removed)
            {
                context.Out.WriteLine($"removed {uuid}");
            }

            foreach (string uuid in report.Marked)
            {
                context.Out.WriteLine($"marked {uuid}");
            }

            if (report.ImageLeftovers > 0)
            {
                context.Out.WriteLine($"removed {report.ImageLeftovers} leftovers of interrupted imports");
            }
        }

        foreach (string failure in report.Failures)
        {
            context.Reporter.Error(Clean.Line("gc: " + failure));
        }

        return report.Failures.Count == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }
}
