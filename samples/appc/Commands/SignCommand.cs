using Appc.Cli.CommandLine;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class SignCommand : Command
{
    public override string Name => "sign";

    public override string Synopsis => "--key FILE [--passphrase-file FILE] [--overwrite] IMAGE.aci";

    public override string Summary => "signs an image with a secret key; writes IMAGE.aci.asc";

    public override void Define(OptionSet options) => options.Value("key").Value("passphrase-file").Flag("overwrite");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string image = arguments.Single("an IMAGE.aci");
        throw new NotSupportedException(image);
    }
}
