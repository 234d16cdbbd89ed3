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
        IReadOnlyList<string> sources = arguments.Operands;
        using var discovery = new ImageDiscovery(context.CreateFetcherOptions());
        if (sources.Count == 0)
        {
            sources = await DiscoverAsync(context, discovery, prefix, cancellationToken);
        }

        foreach (string source in sources)
        {
            await using Stream content = await OpenAsync(context, discovery, source, cancellationToken);
            foreach (OpenPgpKey key in await context.Keys.ReadKeysAsync(content, cancellationToken))
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
        }

        return ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<string>> DiscoverAsync(
        CliContext context, ImageDiscovery discovery, AcIdentifier? prefix, CancellationToken cancellationToken)
    {
        if (prefix is null)
        {
            throw new UsageException("--root needs a key file or URL: discovery goes by a name");
        }

        var options = new DiscoveryOptions
        {
            Images = false,
            AllowHttp = context.Options.Insecure.HasFlag(InsecureOptions.Pubkey),
        };
        DiscoveryResult result = await discovery.DiscoverAsync(prefix.ToString(), options, cancellationToken);
        return result.PublicKeys.Count > 0
            ? result.PublicKeys
            : throw new AppcException($"no place offers keys for {prefix}", $"'appc discover {prefix}' shows what was tried; a key file can be given instead");
    }

    private static async Task<Stream> OpenAsync(
        CliContext context, ImageDiscovery discovery, string source, CancellationToken cancellationToken)
    {
        if (!source.StartsWith("https://", StringComparison.Ordinal) && !source.StartsWith("http://", StringComparison.Ordinal))
        {
            return InputFiles.Open(source);
        }

        bool allowHttp = context.Options.Insecure.HasFlag(InsecureOptions.Pubkey);
        return new MemoryStream(await discovery.DownloadKeysAsync(source, allowHttp, cancellationToken));
    }

    private static bool Confirmed(CliContext context)
    {
        context.Reporter.Question("Trust this key? Compare its fingerprint with one that its owner published elsewhere. [yes/no]");
        return Console.In.ReadLine() is "yes" or "y";
    }
}
