using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Cli.Commands;

internal sealed class ImageVerifyCommand : Command
{
    public override string Name => "image verify";

    public override string Synopsis => "[REF...]";

    public override string Summary => "reads stored images anew (all, or some with their dependencies): signature with today's keys, archive, every file";

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        var options = new ImageVerifyOptions { Trust = context.Trust };
        var progress = new ProgressLine(context.Reporter);
        var images = new List<(string Shown, ImageVerification Found)>();
        try
        {
            if (arguments.Operands.Count == 0)
            {
                Add(string.Empty, await context.Images.VerifyAllAsync(options, progress, cancellationToken));
            }

            foreach (string reference in arguments.Operands)
            {
                ImageId id = await context.Images.ResolveIdAsync(reference, cancellationToken);
                Add(reference, await context.Images.VerifyAsync(id, options, progress, cancellationToken));
            }
        }
        finally
        {
            context.Reporter.EndProgress();
        }

        if (context.Json)
        {
            context.WriteJson(json => Write(json, images.Select(i => i.Found)));
        }
        else
        {
            images.ForEach(i => Print(context, i.Shown, i.Found));
        }

        return images.TrueForAll(i => i.Found.IsGood) ? ExitCodes.Success : ExitCodes.AnswerIsNo;

        void Add(string reference, ImageVerificationReport report)
        {
            foreach (ImageVerification image in report.Images.Where(image => !images.Exists(i => i.Found.Id == image.Id)))
            {
                images.Add((reference.Length > 0 && image == report.Images[0] ? reference : image.Id.ToString(), image));
            }
        }
    }

    private static void Print(CliContext context, string shown, ImageVerification image)
    {
        string signer = image.Signer is { } by ? $"signed by {by.PrimaryFingerprint} {by.UserId}" : "signature not checked";
        if (image.IsGood)
        {
            context.Out.WriteLine(Clean.Line($"{shown}: good: {signer}"));
        }

        foreach (ImageFinding finding in image.Findings)
        {
            string where = finding.Path is null ? finding.Part.ToString().ToLowerInvariant() : $"{finding.Part.ToString().ToLowerInvariant()} {finding.Path}";
            context.Out.WriteLine(Clean.Line($"{shown}: not good: {where}: {finding.Message}"));
        }

        if (image.FindingsOmitted > 0)
        {
            context.Out.WriteLine(Clean.Line($"{shown}: not good: and {image.FindingsOmitted} more"));
        }

        foreach (string tree in image.Unchecked)
        {
            context.Reporter.Note($"{shown}: {tree} was made of images that are no longer stored, and was not checked; image gc removes it");
        }
    }

    private static void Write(Utf8JsonWriter json, IEnumerable<ImageVerification> images)
    {
        json.WriteStartArray();
        foreach (ImageVerification image in images)
        {
            json.WriteStartObject();
            json.WriteString("id", image.Id.ToString());
            json.WriteString("name", image.Manifest?.Name.ToString());
            json.WriteBoolean("good", image.IsGood);
            json.WriteString("signedBy", image.Signer?.PrimaryFingerprint);
            json.WriteString("treeDigest", image.TreeDigest);
            json.WriteStartArray("findings");
            foreach (ImageFinding finding in image.Findings)
            {
                json.WriteStartObject();
                json.WriteString("part", finding.Part.ToString().ToLowerInvariant());
                json.WriteString("path", finding.Path);
                json.WriteString("message", finding.Message);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("findingsOmitted", image.FindingsOmitted);
            json.WriteStrings("unchecked", image.Unchecked);
            json.WriteStrings("unknownFiles", image.UnknownFiles);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
