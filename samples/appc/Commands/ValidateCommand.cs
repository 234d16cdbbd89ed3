using System.Globalization;
using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Cli.Commands;

internal sealed class ValidateCommand : Command
{
    public override string Name => "validate";

    public override string Synopsis => "[--type image|pod|aci|auto] [--allow-zstd] [--print] FILE...";

    public override string Summary => "says whether manifests and images keep to the specification ('-' is standard input)";

    public override void Define(OptionSet options) => options.Value("type").Flag("print").Flag("allow-zstd");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        string type = arguments.Get("type") ?? "auto";
        if (type is not ("image" or "pod" or "aci" or "auto"))
        {
            throw new UsageException($"--type: '{type}' is none of image, pod, aci, auto");
        }

        ArchiveLimits limits = new() { AllowZstd = arguments.Has("allow-zstd") };
        IReadOnlyList<string> files = arguments.AtLeastOne("a FILE");
        if (arguments.Has("print"))
        {
            string only = arguments.Single("FILE");
            Verdict verdict = await ValidateAsync(only, type, limits, cancellationToken);
            if (verdict.Fault is not null)
            {
                context.Reporter.Error($"{only}: invalid: {verdict.Fault}");
                return ExitCodes.AnswerIsNo;
            }

            context.Out.WriteLine(verdict.Canonical);
            return ExitCodes.Success;
        }

        var verdicts = new List<Verdict>();
        foreach (string file in files)
        {
            Verdict verdict = await ValidateAsync(file, type, limits, cancellationToken);
            verdicts.Add(verdict);
            if (!context.Json)
            {
                string answer = verdict.Fault is null ? $"valid {verdict.Kind}" : $"invalid: {verdict.Fault}";
                context.Out.WriteLine(Output.Clean.Line($"{file}: {answer}"));
            }
        }

        if (context.Json)
        {
            context.WriteJson(json => WriteJson(json, verdicts));
        }

        return verdicts.Exists(v => v.Fault is not null) ? ExitCodes.AnswerIsNo : ExitCodes.Success;
    }

    private static async Task<Verdict> ValidateAsync(string file, string type, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        await using Stream input = InputFiles.Open(file);
        byte[] start = new byte[512];
        int length = await input.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
        await using var whole = new PrefixedStream(start.AsMemory(0, length), input);
        bool json = type is "image" or "pod" || (type == "auto" && LooksLikeJson(start.AsSpan(0, length)));
        if (!json)
        {
            AciReport archive = await AciValidator.CheckAsync(whole, limits, cancellationToken);
            return new Verdict(file, "aci", [.. archive.Findings.Select(Describe)], archive.Summary?.Manifest.ToJson(), archive.Summary?.Id.ToString());
        }

        byte[] content = await InputFiles.ReadManifestAsync(whole, file, cancellationToken);
        ManifestReport report = Manifest.Validate(content, type switch
        {
            "image" => ManifestKind.Image,
            "pod" => ManifestKind.Pod,
            _ => ManifestKind.Auto,
        });
        string kind = report.Kind == ManifestKind.Pod ? "pod" : "image";
        return new Verdict(file, kind, [.. report.Findings.Select(f => f.ToString())], report.IsValid ? report.ToJson() : null, null);
    }

    private static string Describe(AciFinding finding)
    {
        string? entry = finding.Entry is null || finding.Message.Contains(finding.Entry, StringComparison.Ordinal) ? null : $"entry {finding.Entry}";
        string? place = finding.Offset is { } offset ? string.Create(CultureInfo.InvariantCulture, $"at byte {offset}") : null;
        return entry is null && place is null ? finding.Message : $"{finding.Message} ({string.Join(' ', new[] { entry, place }.OfType<string>())})";
    }

    private static bool LooksLikeJson(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> text = start.TrimStart(" \t\r\n"u8);
        return text.StartsWith((byte)'{') || text.StartsWith((byte)'[') || text.StartsWith("\uFEFF"u8);
    }

    private static void WriteJson(Utf8JsonWriter json, List<Verdict> verdicts)
    {
        json.WriteStartArray();
        foreach (Verdict verdict in verdicts)
        {
            json.WriteStartObject();
            json.WriteString("file", verdict.File);
            json.WriteBoolean("valid", verdict.Fault is null);
            json.WriteString("kind", verdict.Kind);
            if (verdict.Fault is not null)
            {
                json.WriteString("reason", verdict.Fault);
                json.WriteStartArray("findings");
                verdict.Findings.ToList().ForEach(json.WriteStringValue);
                json.WriteEndArray();
            }

            if (verdict.Id is not null)
            {
                json.WriteString("id", verdict.Id);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private sealed record Verdict(string File, string Kind, IReadOnlyList<string> Findings, string? Canonical, string? Id)
    {
        /// <summary>Every fault in one line; null if there is none.</summary>
        public string? Fault => Findings.Count == 0 ? null : string.Join("; ", Findings);
    }
}
