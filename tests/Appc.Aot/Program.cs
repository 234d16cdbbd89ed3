using Appc.Images;
using Appc.Manifests;

// Reads a manifest of either kind, or an image archive, from standard input. Prints the manifest's canonical JSON or
// the archive's compression and id; or every fault, and ends with 1.
using MemoryStream document = new();
Console.OpenStandardInput().CopyTo(document);
if (document.Length > 0 && document.GetBuffer()[0] != (byte)'{')
{
    document.Position = 0;
    AciReport archive = await AciValidator.CheckAsync(document, new ArchiveLimits { AllowZstd = true });
    foreach (AciFinding finding in archive.Findings)
    {
        Console.WriteLine(finding.Message);
    }

    Console.WriteLine($"{archive.Summary?.Compression} {archive.Summary?.Id}");
    return archive.IsValid ? 0 : 1;
}

ManifestReport report = Manifest.Validate(document.ToArray());
if (report.IsValid)
{
    Console.WriteLine(report.ToJson(indented: true));
    return 0;
}

foreach (ManifestFinding finding in report.Findings)
{
    Console.WriteLine(finding);
}

return 1;
