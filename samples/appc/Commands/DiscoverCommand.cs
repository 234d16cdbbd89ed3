using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Fetching;

namespace Appc.Cli.Commands;

internal sealed class DiscoverCommand : Command
{
    public override string Name => "discover";

    public override string Synopsis => "REF";

    public override string Summary => "finds where an image and its keys are offered, and shows all that was tried";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string reference = arguments.Single("an image NAME[:VERSION][,LABEL=VALUE...]");
        using var discovery = new ImageDiscovery(context.CreateFetcherOptions(credentials: true));
        var options = new DiscoveryOptions { AllowHttp = context.Options.Insecure.HasFlag(InsecureOptions.Http) };
        DiscoveryResult result = await discovery.DiscoverAsync(reference, options, cancellationToken);
        context.WriteJson(json => Write(json, result));
        if (result.Images.Count > 0)
        {
            return ExitCodes.Success;
        }

        context.Reporter.Error($"discover: no place offers {reference}", "'tried' lists every request and its outcome");
        return ExitCodes.Failure;
    }

    private static void Write(Utf8JsonWriter json, DiscoveryResult result)
    {
        json.WriteStartObject();
        json.WriteStartArray("images");
        foreach (DiscoveredImage image in result.Images)
        {
            json.WriteStartObject();
            json.WriteString("aci", image.Aci);
            json.WriteString("asc", image.Asc);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStrings("publicKeys", result.PublicKeys);
        json.WriteStartArray("tried");
        foreach (DiscoveryAttempt attempt in result.Tried)
        {
            json.WriteStartObject();
            json.WriteString("url", attempt.Url);
            json.WriteString("outcome", attempt.Detail);
            json.WriteNumberOrNull("status", attempt.Status);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
