using Appc.Cli.CommandLine;
using Appc.Signing;

namespace Appc.Cli.Commands;

internal sealed class SignCommand : Command
{
    public override string Name => "sign";

    public override string Synopsis => "--key FILE [--passphrase-file FILE] IMAGE.aci";

    public override string Summary => "signs an image with a secret key; writes IMAGE.aci.asc";

    public override void Define(OptionSet options) => options.Value("key").Value("passphrase-file");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string image = arguments.Single("an IMAGE.aci");
        KeyFileSigner signer = await LoadAsync(arguments, cancellationToken);
        string signature = await OpenPgpSigner.SignFileAsync(image, signer, cancellationToken: cancellationToken);
        if (context.Json)
        {
            context.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("signature", Path.GetFullPath(signature));
                json.WriteString("fingerprint", signer.PrimaryFingerprint);
                json.WriteString("signingKey", signer.Fingerprint);
                json.WriteEndObject();
            });
        }
        else
        {
            context.Out.WriteLine(signature);
        }

        return ExitCodes.Success;
    }

    private static async Task<KeyFileSigner> LoadAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        string key = arguments.Require("key");
        if (arguments.Get("passphrase-file") is not { } file)
        {
            return await KeyFileSigner.LoadAsync(key, cancellationToken: cancellationToken);
        }

        await using Stream passphrase = InputFiles.Open(file);
        return await KeyFileSigner.LoadAsync(key, passphrase, cancellationToken: cancellationToken);
    }
}
