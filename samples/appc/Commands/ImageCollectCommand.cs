using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Images;

namespace Appc.Cli.Commands;

internal sealed class ImageCollectCommand : Command
{
    public override string Name => "image gc";

    public override string Synopsis => "[--grace-period DURATION] [--dry-run]";

    public override string Summary => "removes images that nothing uses and that were not used for a while (24h)";

    public override void Define(OptionSet options) => options.Value("grace-period").Flag("dry-run");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        var options = new ImageCollectOptions { DryRun = arguments.Has("dry-run") };
        options.GracePeriod = arguments.GetDuration("grace-period", options.GracePeriod);
        ImageCollectReport report = await context.Images.CollectAsync(options, cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json => Write(json, report));
        }
        else
        {
            string done = options.DryRun ? "would remove" : "removed";
            foreach (CollectedImage image in report.Removed)
            {
                context.Out.WriteLine(Clean.Line($"{done} {image.Id} {image.Name}"));
            }

            foreach (string tree in report.RenderedTrees)
            {
                context.Out.WriteLine($"{done} {tree}");
            }

            if (report.Leftovers > 0)
            {
                context.Out.WriteLine($"{done} {report.Leftovers} leftovers of interrupted imports");
            }

            foreach (KeptImage image in report.Kept.Where(k => k.Reason != ImageKeepReason.UsedLately))
            {
                context.Reporter.Note($"kept {ImageText.Short(image.Id)} {image.Name}: {image.Detail}");
            }

            context.Reporter.Note($"{ProgressLine.Size(report.BytesFreed)} {(options.DryRun ? "would be " : "")}freed");
        }

        foreach (string failure in report.Failures)
        {
            context.Reporter.Error("image gc: " + failure);
        }

        return report.Failures.Count == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static void Write(Utf8JsonWriter json, ImageCollectReport report)
    {
        json.WriteStartObject();
        json.WriteStartArray("removed");
        foreach (CollectedImage image in report.Removed)
        {
            json.WriteStartObject();
            json.WriteString("id", image.Id.ToString());
            json.WriteString("name", image.Name.ToString());
            json.WriteTime("lastUsed", image.LastUsed);
            json.WriteNumber("bytes", image.Bytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("kept");
        foreach (KeptImage image in report.Kept)
        {
            json.WriteStartObject();
            json.WriteString("id", image.Id.ToString());
            json.WriteString("name", image.Name?.ToString());
            json.WriteString("reason", JsonNamingPolicy.CamelCase.ConvertName(image.Reason.ToString()));
            json.WriteString("detail", image.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStrings("renderedTrees", report.RenderedTrees);
        json.WriteNumber("leftovers", report.Leftovers);
        json.WriteNumber("bytesFreed", report.BytesFreed);
        json.WriteStrings("failures", report.Failures);
        json.WriteEndObject();
    }
}
