using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Fetching;

namespace Appc.Cli.Commands;

internal sealed class FetchCommand : Command
{
    public override string Name => "fetch";

    public override string Synopsis => "[--pull-policy new|update|never] [--signature FILE] [--allow-zstd] REF...";

    public override string Summary => "brings images into the store: finds them, checks who signed them";

    public override bool Fetches => true;

    public override void Define(OptionSet options) => options.Value("pull-policy").Value("signature").Flag("allow-zstd");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> references = arguments.AtLeastOne("an image reference");
        PullPolicy policy = FetchSettings.ParsePolicy(arguments.Get("pull-policy"));
        string? signature = arguments.Get("signature");
        if (signature is not null && references.Count > 1)
        {
            throw new UsageException("--signature goes with one image");
        }

        var results = new List<FetchResult>();
        int exitCode = await context.ForEachAsync(references, async reference =>
        {
            FetchResult result = await FetchSettings.FetchAsync(context, reference, policy, signature, arguments.Has("allow-zstd"), cancellationToken);
            results.Add(result);
            if (!context.Json)
            {
                context.Out.WriteLine(result.Image.Id);
            }
        });
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartArray();
                foreach (FetchResult result in results)
                {
                    json.WriteStartObject();
                    ImageText.WriteMembers(json, result.Image);
                    json.WriteString("from", result.Origin.ToString().ToLowerInvariant());
                    ImageText.WriteSigner(json, result.Image);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
        }

        return exitCode;
    }
}
