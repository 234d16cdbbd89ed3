using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class AppAddCommand : Command
{
    private static readonly string[] OfThePod =
        ["stage1", "volume", "port", "hostname", "private-users", "dns", "dns-search", "dns-opt", "hosts-entry", "uuid-file-save", "label", "lifetime", "mutable"];

    public override string Name => "app add";

    public override string Synopsis => "[--no-start] [--strict] POD REF [APP OPTIONS] [-- ARGS]";

    public override string Summary => "adds an app to a running pod that was made with --mutable, and starts it";

    public override bool Fetches => true;

    public override void Define(OptionSet options)
    {
        PodArguments.Define(options);
        options.Flag("no-start");
        foreach (string name in OfThePod)
        {
            options.Remove(name);
        }
    }

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        List<Token> tokens = [.. arguments.Tokens.Where(t => t.Kind != TokenKind.Option || t.Text != "no-start")];
        int at = tokens.FindIndex(t => t.Kind == TokenKind.Operand);
        if (at < 0)
        {
            throw new UsageException("a pod is missing");
        }

        string uuid = tokens[at].Text;
        tokens.RemoveAt(at);
        await using Pod pod = await context.Runtime.OpenAsync(uuid, cancellationToken);
        AppSpec app = await new PodSpecFactory(context).CreateAppAsync(PodArguments.Sort(tokens), cancellationToken);
        AppStatus added = await pod.AddAppAsync(app, !arguments.Has("no-start"), context.TrustIfSaid, arguments.Has("strict"), cancellationToken);
        context.Out.WriteLine(added.Name);
        return ExitCodes.Success;
    }
}
