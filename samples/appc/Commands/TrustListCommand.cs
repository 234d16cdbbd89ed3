using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class TrustListCommand : Command
{
    public override string Name => "trust list";

    public override string Synopsis => string.Empty;

    public override string Summary => "lists the trusted keys and the names that each is trusted for";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        arguments.None();
        KeystoreListing listing = await context.Keys.ListAsync(cancellationToken);
        foreach (KeystoreProblem problem in listing.Problems)
        {
            context.Reporter.Warning($"{problem.Path}: skipped: {problem.Reason}");
        }

        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartArray();
                foreach (TrustedKey entry in listing.Keys)
                {
                    json.WriteStartObject();
                    json.WriteString("fingerprint", entry.Fingerprint);
                    json.WriteString("prefix", entry.Scope);
                    json.WriteString("path", entry.Path);
                    json.WriteBoolean("mask", entry.IsMask);
                    if (entry.Key is { } key)
                    {
                        KeyText.Write(json, key);
                    }

                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return ExitCodes.Success;
        }

        var table = new Table("FINGERPRINT", "TRUSTED FOR", "ALGORITHM", "MADE", "EXPIRES", "USER ID", "FILE");
        foreach (TrustedKey entry in listing.Keys)
        {
            table.Add(
                entry.Fingerprint,
                entry.IsMask ? $"not {TrustScope.Show(entry.Scope)}" : TrustScope.Show(entry.Scope),
                entry.Key?.Algorithm ?? "-",
                entry.Key is { } made ? ImageText.Time(made.Created) : "-",
                entry.Key?.Problem ?? (entry.Key?.Expires is { } expires ? ImageText.Time(expires) : "-"),
                entry.Key is { UserIds: [var first, ..] } ? first : "-",
                entry.Path);
        }

        table.WriteTo(context.Out);
        return ExitCodes.Success;
    }
}
