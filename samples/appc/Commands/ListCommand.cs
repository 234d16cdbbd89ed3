using System.Globalization;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class ListCommand : Command
{
    public override string Name => "list";

    public override string Synopsis => string.Empty;

    public override string Summary => "lists the pods";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        IReadOnlyList<PodStatus> pods = await context.Runtime.ListAsync(cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartArray();
                foreach (PodStatus pod in pods)
                {
                    PodText.Write(json, pod);
                }

                json.WriteEndArray();
            });
            return ExitCodes.Success;
        }

        var table = new Table("UUID", "STATE", "STAGE1", "PID", "CREATED", "APPS");
        foreach (PodStatus pod in pods)
        {
            table.Add(
                pod.Uuid,
                PodText.State(pod.State),
                pod.Stage1,
                pod.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-",
                pod.Created is { } created ? ImageText.Time(created) : "-",
                string.Join(", ", pod.Apps.Select(a => $"{a.Name} ({PodText.End(a)})")));
        }

        table.WriteTo(context.Out);
        return ExitCodes.Success;
    }
}
