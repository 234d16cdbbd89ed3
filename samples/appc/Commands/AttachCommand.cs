using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class AttachCommand : Command
{
    public override string Name => "attach";

    public override string Synopsis => "[--app NAME] [--stdin | --no-stdin] [--close-stdin] [--from-start] [--detach-keys KEYS] UUID";

    public override string Summary => "attaches to the streams of an app that runs; ctrl-p ctrl-q detaches from a terminal";

    public override void Define(OptionSet options) =>
        options.Value("app").Flag("stdin").Flag("no-stdin").Flag("close-stdin").Flag("from-start").Value("detach-keys");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        if (arguments.Has("no-stdin") && (arguments.Has("stdin") || arguments.Has("close-stdin")))
        {
            throw new UsageException("--no-stdin excludes --stdin and --close-stdin");
        }

        DetachKeys keys = DetachKeys.Parse(arguments.Get("detach-keys"));
        AttachOptions options = new()
        {
            Input = arguments.Has("no-stdin") ? false : arguments.Has("stdin") || arguments.Has("close-stdin") ? true : null,
            FromStart = arguments.Has("from-start"),
        };
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        try
        {
            await AttachedCaller.StayAsync(pod, arguments.Get("app"), options, arguments.Has("close-stdin"), keys, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A signal detaches, too.
        }

        return ExitCodes.Success;
    }
}
