using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Images;
using Appc.Trust;

namespace Appc.Cli.Commands;

internal sealed class ImageVerifyCommand : Command
{
    public override string Name => "image verify";

    public override string Synopsis => "REF...";

    public override string Summary => "checks the signatures of stored images again, with today's keys";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        bool good = true;
        foreach (string reference in arguments.AtLeastOne("an image"))
        {
            StoredImage image = await context.Images.ResolveAsync(reference, cancellationToken);
            string verdict;
            try
            {
                verdict = "good: " + await VerifyAsync(context, image, cancellationToken);
            }
            catch (TrustException exception)
            {
                good = false;
                verdict = "not good: " + exception.Message;
            }

            context.Out.WriteLine(Clean.Line($"{reference}: {verdict}"));
        }

        return good ? ExitCodes.Success : ExitCodes.AnswerIsNo;
    }

    private static async Task<string> VerifyAsync(CliContext context, StoredImage image, CancellationToken cancellationToken)
    {
        string signature = image.ArchivePath + ".asc";
        if (!File.Exists(signature))
        {
            throw new TrustException(TrustFailure.Unsigned, $"image {image.Manifest.Name} was stored without a signature");
        }

        await using FileStream signatureFile = File.OpenRead(signature);
        using ISignatureCheck check = await context.Verifier.BeginAsync(signatureFile, image.Manifest.Name, cancellationToken);
        await using FileStream archive = File.OpenRead(image.ArchivePath);
        byte[] buffer = new byte[1 << 18];
        while (await archive.ReadAsync(buffer, cancellationToken) is > 0 and int count)
        {
            check.Append(buffer.AsSpan(0, count));
        }

        SignatureSigner signer = check.Complete().SignerFor(image.Manifest.Name)
            ?? throw new TrustException(TrustFailure.WrongPrefix, $"no signer of image {image.Manifest.Name} is trusted for that name");
        return $"signed by {signer.PrimaryFingerprint} {signer.UserId}";
    }
}
