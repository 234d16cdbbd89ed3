using Appc.Images;

namespace Appc.Fetching;

/// <summary>Shows the progress of an import as progress of the fetch.</summary>
internal sealed class ImportForwarder(ProgressReporter reporter) : IProgress<ImportProgress>
{
    public void Report(ImportProgress value) => reporter.Report(
        value.Phase switch
        {
            ImportPhase.Verifying => "verifying",
            ImportPhase.Extracting => "extracting",
            _ => "publishing",
        },
        value.Bytes,
        value.TotalBytes);
}
