using Appc.Images;

namespace Appc.Aot;

/// <summary>Reads an image archive from standard input. Prints its compression and id, or every fault and ends with 1.</summary>
internal static class ArchiveProgram
{
    public static async Task<int> RunAsync()
    {
        using MemoryStream archive = new();
        Console.OpenStandardInput().CopyTo(archive);
        archive.Position = 0;
        AciReport report = await AciValidator.CheckAsync(archive, new ArchiveLimits { AllowZstd = true });
        foreach (AciFinding finding in report.Findings)
        {
            Console.WriteLine(finding.Message);
        }

        Console.WriteLine($"{report.Summary?.Compression} {report.Summary?.Id}");
        return report.IsValid ? 0 : 1;
    }
}
