using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Fetching;

namespace Appc.Cli;

/// <summary>Fetches as the options say.</summary>
internal static class FetchSettings
{
    public static PullPolicy ParsePolicy(string? text) => text switch
    {
        null or "new" => PullPolicy.New,
        "update" => PullPolicy.Update,
        "never" => PullPolicy.Never,
        _ => throw new UsageException($"--pull-policy: '{text}' is none of new, update, never"),
    };

    public static async Task<FetchResult> FetchAsync(
        CliContext context, string reference, PullPolicy policy, string? signature, bool allowZstd, CancellationToken cancellationToken)
    {
        var options = new FetchOptions
        {
            Trust = context.Trust,
            PullPolicy = policy,
            AllowHttp = context.Options.Insecure.HasFlag(InsecureOptions.Http),
            SignaturePath = signature,
        };
        options.Limits.AllowZstd = allowZstd;
        try
        {
            return await context.Fetcher.FetchAsync(reference, options, new ProgressLine(context.Reporter), cancellationToken);
        }
        finally
        {
            context.Reporter.EndProgress();
        }
    }
}
