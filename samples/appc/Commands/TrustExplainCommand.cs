using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Manifests;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class TrustExplainCommand : Command
{
    public override string Name => "trust explain";

    public override string Synopsis => "NAME";

    public override string Summary => "says which keys would be accepted for images of a name, and why";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string text = arguments.Single("an image NAME");
        AcIdentifier name = AcIdentifier.TryParse(text, out AcIdentifier? parsed)
            ? parsed
            : throw new UsageException($"'{text}' is not a valid image name");
        TrustExplanation explanation = await context.Keys.ExplainAsync(name, cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("name", name.ToString());
                json.WriteBoolean("anyAccepted", explanation.AnyAccepted);
                json.WriteStartArray("keys");
                foreach (KeyExplanation key in explanation.Keys)
                {
                    json.WriteStartObject();
                    json.WriteString("fingerprint", key.Fingerprint);
                    json.WriteString("userId", key.UserId);
                    json.WriteBoolean("accepted", key.Accepted);
                    json.WriteString("prefix", key.Scope);
                    json.WriteString("path", key.Path);
                    json.WriteString("reason", key.Reason);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
            return ExitCodes.Success;
        }

        if (explanation.Keys.Count == 0)
        {
            context.Out.WriteLine("no key is trusted for any name");
        }

        foreach (KeyExplanation key in explanation.Keys)
        {
            string verdict = key.Accepted ? "accepted" : "refused ";
            context.Out.WriteLine(Clean.Line($"{verdict}  {key.Fingerprint}  {key.UserId ?? "-"}: {key.Reason}"));
        }

        foreach (KeystoreProblem problem in explanation.Problems)
        {
            context.Reporter.Warning($"{problem.Path}: skipped: {problem.Reason}");
        }

        return ExitCodes.Success;
    }
}
