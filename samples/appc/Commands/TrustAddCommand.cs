using Appc.Cli.CommandLine;
using Appc.Fetching;
using Appc.Manifests;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class TrustAddCommand : Command
{
    public override string Name => "trust add";

    public override string Synopsis => "(--prefix NAME | --root) [--yes] [KEYFILE|URL]...";

    public override string Summary => "trusts keys, for one prefix of names or for every name; without a file, those that discovery finds";

    public override void Define(OptionSet options)
    {
        TrustScope.Define(options);
        options.Flag("yes");
    }

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        AcIdentifier? prefix = TrustScope.From(arguments);
        foreach ((OpenPgpKey key, string source) in await ReadAsync(arguments.Operands, context, prefix, cancellationToken))
        {
            context.Reporter.Note($"key from {source}, for {TrustScope.Show(prefix?.ToString() ?? string.Empty)}:");
            foreach (string line in KeyText.Lines(key))
            {
                context.Reporter.Note("  " + line);
            }

            if (!arguments.Has("yes") && !Confirmed(context))
            {
                throw new AppcException($"key {key.Fingerprint} was not added: not confirmed", "--yes trusts without asking");
            }

            TrustedKey added = await context.Keys.AddAsync(key, prefix, cancellationToken);
            context.Out.WriteLine(added.Fingerprint);
        }

        return ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<OfferedKey>> ReadAsync(
        IReadOnlyList<string> sources, CliContext context, AcIdentifier? prefix, CancellationToken cancellationToken)
    {
        bool allowHttp = context.Options.Insecure.HasFlag(InsecureOptions.Pubkey);
        using var discovery = new ImageDiscovery(context.CreateFetcherOptions(credentials: sources.Count == 0 || sources.Any(IsUrl)));
        var offers = new KeyDiscovery(context.Keys, discovery);
        if (sources.Count == 0)
        {
            return prefix is null
                ? throw new UsageException("--root needs a key file or URL: discovery goes by a name")
                : await offers.DiscoverAsync(prefix, allowHttp, cancellationToken);
        }

        List<OfferedKey> keys = [];
        foreach (string source in sources)
        {
            if (IsUrl(source))
            {
                keys.AddRange(await offers.ReadUrlAsync(source, allowHttp, cancellationToken));
            }
            else
            {
                await using Stream content = InputFiles.Open(source);
                keys.AddRange((await context.Keys.ReadKeysAsync(content, cancellationToken)).Select(k => new OfferedKey(k, source)));
            }
        }

        return keys;
    }

    private static bool IsUrl(string source) =>
        source.StartsWith("https://", StringComparison.Ordinal) || source.StartsWith("http://", StringComparison.Ordinal);

    private static bool Confirmed(CliContext context)
    {
        context.Reporter.Question("Trust this key? Compare its fingerprint with one that its owner published elsewhere. [yes/no]");
        return Console.In.ReadLine() is "yes" or "y";
    }
}
