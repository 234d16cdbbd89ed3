using Appc.Cli.CommandLine;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class TrustRemoveCommand : Command
{
    public override string Name => "trust remove";

    public override string Synopsis => "FINGERPRINT (--prefix NAME | --root)";

    public override string Summary => "takes trust in a key away";

    public override void Define(OptionSet options) => TrustScope.Define(options);

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string fingerprint = arguments.Single("a FINGERPRINT");
        KeyRemoval removal = await context.Keys.RemoveAsync(fingerprint, TrustScope.From(arguments), cancellationToken);
        context.Reporter.Note(removal.Masked ? $"masked by {removal.Path}" : $"removed {removal.Path}");
        return ExitCodes.Success;
    }
}
