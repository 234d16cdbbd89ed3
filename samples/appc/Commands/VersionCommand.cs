using System.Reflection;
using Appc.Cli.CommandLine;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Cli.Commands;

internal sealed class VersionCommand : Command
{
    public override string Name => "version";

    public override string Synopsis => string.Empty;

    public override string Summary => "versions of appc and the specification, and what the stage1 flavours found on this host";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        string version = typeof(AppcException).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        version = version.Split('+')[0];
        string specification = new ImageManifest().AcVersion.ToString();
        var flavours = new List<(string Name, Stage1HostReport Report)>();
        foreach (IStage1 stage1 in context.Runtime.Stage1s)
        {
            flavours.Add((stage1.Name, await stage1.ProbeAsync(cancellationToken)));
        }

        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("version", version);
                json.WriteString("specification", specification);
                json.WriteStartArray("stage1");
                foreach ((string name, Stage1HostReport report) in flavours)
                {
                    json.WriteStartObject();
                    json.WriteString("name", name);
                    json.WriteString("version", report.Version);
                    json.WriteString("problem", report.Problem);
                    json.WriteString("hint", report.Hint);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
            return ExitCodes.Success;
        }

        context.Out.WriteLine($"appc {version}");
        context.Out.WriteLine($"specification {specification}");
        foreach ((string name, Stage1HostReport report) in flavours)
        {
            string state = report.Problem is null ? report.Version ?? "ready" : $"cannot run here: {report.Problem}";
            context.Out.WriteLine($"stage1 {name}: {state}");
        }

        return ExitCodes.Success;
    }
}
