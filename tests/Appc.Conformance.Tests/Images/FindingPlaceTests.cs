using Appc.Images;

namespace Appc.Conformance.Tests.Images;

/// <summary>Over all archives of both corpora: what is wrong with an entry is said with its place; what is not, is of the archive as a whole.</summary>
public sealed class FindingPlaceTests
{
    private static readonly string[] OfTheWhole =
    [
        "gzip", "bzip2", "xz", "zstd", "it is empty", "it is neither a tar archive", "it has no manifest", "its manifest is not valid", "it has no entry for rootfs", "it expands to more than",
    ];

    [Theory]
    [InlineData("hostile/archives")]
    [InlineData("vectors/aci")]
    public async Task Findings_have_their_place(string folder)
    {
        int placed = 0;
        foreach (string file in Directory.EnumerateFiles(TestData.File(folder)).Order(StringComparer.Ordinal))
        {
            AciReport report;
            await using (FileStream stream = File.OpenRead(file))
            {
                report = await AciValidator.CheckAsync(stream, new ArchiveLimits { ExpandedBytes = 64 << 20 });
            }

            foreach (AciFinding finding in report.Findings)
            {
                Assert.NotEmpty(finding.Message);
                Assert.DoesNotContain(finding.Message + finding.Entry, char.IsControl);
                if (finding.Offset is { } offset)
                {
                    placed++;
                    Assert.True(offset >= 0 && offset % 512 == 0, $"{file}: {finding}");
                }
                else
                {
                    Assert.Null(finding.Entry);
                    Assert.True(OfTheWhole.Any(w => finding.Message.Contains(w, StringComparison.Ordinal)), $"{file}: {finding}");
                }

                // What a message says of an entry is where the finding says it is.
                if (finding.Message.StartsWith("entry '", StringComparison.Ordinal))
                {
                    Assert.NotNull(finding.Entry);
                    Assert.Contains($"'{finding.Entry}'", finding.Message, StringComparison.Ordinal);
                }
            }
        }

        Assert.True(placed > 30);
    }
}
