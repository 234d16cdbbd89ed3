using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class LogsCommand : Command
{
    public override string Name => "logs";

    public override string Synopsis => "[--app NAME] [--follow] UUID";

    public override string Summary => "copies what the apps of a pod have written to standard output and error";

    public override void Define(OptionSet options) => options.Value("app").Flag("follow");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        await using Stream output = Console.OpenStandardOutput();
        await using Stream error = Console.OpenStandardError();
        await pod.CopyLogsAsync(output, error, arguments.Get("app"), arguments.Has("follow"), cancellationToken);
        return ExitCodes.Success;
    }
}
