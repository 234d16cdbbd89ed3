using Appc.Conformance.Tests.Images;
using Appc.Core.Tests.Manifests;

namespace Appc.Core.Tests.Images;

/// <summary>Replays the archives that fuzzing kept: one for every path through the code that it found.</summary>
public sealed class ArchiveFuzzCorpusTests
{
    public static TheoryData<string> Targets => [.. ArchiveFuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Nothing_that_fuzzing_found_does_harm(string target)
    {
        string[] lines = File.ReadAllLines(SourceTree.Path($"tests/data/fuzz/{target}.txt"));
        Assert.NotEmpty(lines);
        Directory.CreateDirectory(ExtractionPlace.Mount);
        PrivateMounts.Run(() =>
        {
            PrivateMounts.MountTmpfs(ExtractionPlace.Mount, "mode=0700");
            foreach (string line in lines)
            {
                Exception? exception = Record.Exception(() => ArchiveFuzzTargets.All[target](ArchiveFuzzCorpus.Decode(line)));
                Assert.True(exception is null, $"{line}: {exception}");
            }
        });
        Directory.Delete(ExtractionPlace.Mount);
    }
}
