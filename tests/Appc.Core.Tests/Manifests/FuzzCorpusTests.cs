namespace Appc.Core.Tests.Manifests;

/// <summary>Replays the inputs that fuzzing kept: one for every path through the code that it found.</summary>
public sealed class FuzzCorpusTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Nothing_that_fuzzing_found_does_harm(string target)
    {
        string[] lines = File.ReadAllLines(SourceTree.Path($"tests/data/fuzz/{target}.txt"));
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            Exception? exception = Record.Exception(() => FuzzTargets.All[target](Convert.FromBase64String(line)));
            Assert.True(exception is null, $"{line}: {exception}");
        }
    }
}
