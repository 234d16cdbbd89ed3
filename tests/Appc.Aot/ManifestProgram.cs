using Appc.Manifests;

namespace Appc.Aot;

/// <summary>Reads a manifest of either kind from standard input. Prints its canonical JSON, or every fault and ends with 1.</summary>
internal static class ManifestProgram
{
    public static int Run()
    {
        using MemoryStream document = new();
        Console.OpenStandardInput().CopyTo(document);
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
    }
}
