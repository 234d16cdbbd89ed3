using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class AppListCommand : Command
{
    public override string Name => "app list";

    public override string Synopsis => "POD";

    public override string Summary => "lists the apps of a pod";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        PodStatus status = await pod.GetStatusAsync(cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartArray();
                foreach (AppStatus app in status.Apps)
                {
                    PodText.Write(json, app);
                }

                json.WriteEndArray();
            });
            return ExitCodes.Success;
        }

        var table = new Table("APP", "STATE", "STARTED", "FINISHED", "IMAGE");
        foreach (AppStatus app in status.Apps)
        {
            table.Add(app.Name.ToString(), PodText.End(app), Time(app.Started), Time(app.Finished), app.ImageId.ToString());
        }

        table.WriteTo(context.Out);
        return ExitCodes.Success;
    }

    private static string Time(DateTimeOffset? time) => time is { } value ? ImageText.Time(value) : "-";
}
