using System.Globalization;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class ListCommand : Command
{
    public override string Name => "list";

    public override string Synopsis => "[--state STATE]... [--name NAME] [--label KEY[=VALUE]]... [--app NAME] [--image ID]";

    public override string Summary => "lists the pods";

    public override void Define(OptionSet options) =>
        options.Values("state").Value("name").Values("label").Value("app").Value("image");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        IReadOnlyList<PodStatus> pods = await context.Runtime.ListAsync(Filter(arguments), cancellationToken);
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

        var table = new Table("UUID", "NAME", "STATE", "STAGE1", "PID", "CREATED", "APPS", "LABELS");
        foreach (PodStatus pod in pods)
        {
            table.Add(
                pod.Uuid,
                pod.Name ?? "-",
                PodText.State(pod.State),
                pod.Stage1,
                pod.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-",
                pod.Created is { } created ? ImageText.Time(created) : "-",
                string.Join(", ", pod.Apps.Select(a => $"{a.Name} ({PodText.End(a)})")),
                PodText.Labels(pod));
        }

        table.WriteTo(context.Out);
        return ExitCodes.Success;
    }

    private static PodFilter Filter(Arguments arguments)
    {
        var filter = new PodFilter
        {
            Name = arguments.Get("name"),
            App = arguments.Get("app"),
            Image = arguments.Get("image") is { } image ? Values.Parse(image, "--image", ImageId.Parse) : null,
        };
        foreach (string state in arguments.GetAll("state"))
        {
            PodState[] known = [.. Enum.GetValues<PodState>().Where(s => PodText.State(s) == state.Replace('-', ' '))];
            filter.States.Add(known.Length == 1 ? known[0] : throw new UsageException($"--state: '{state}' is no state of a pod"));
        }

        foreach (string label in arguments.GetAll("label"))
        {
            int equals = label.IndexOf('=', StringComparison.Ordinal);
            filter.Labels[equals < 0 ? label : label[..equals]] = equals < 0 ? null : label[(equals + 1)..];
        }

        return filter;
    }
}
