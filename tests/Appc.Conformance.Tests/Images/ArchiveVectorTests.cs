using System.Text.Json;
using Appc.Conformance.Tests.Fetching;
using Appc.Images;
using Appc.Trust;

namespace Appc.Conformance.Tests.Images;

/// <summary>Image archives, by the validator and by a real import: both must say the same.</summary>
public sealed class ArchiveVectorTests : IDisposable
{
    private static readonly Dictionary<string, JsonElement> Cases =
        VectorFile.Read("aci-archives.jsonl").Concat(VectorFile.Read("aci-archives.deviations.jsonl")).ToDictionary(c => c.GetProperty("id").GetString()!);

    private readonly string _root = Path.Combine(Path.GetTempPath(), "appc-archives-" + Guid.NewGuid().ToString("N"));

    public static TheoryData<string, string> Ids => [.. Cases.Values.Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("title").GetString()!))];

    public void Dispose()
    {
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }

    [Fact]
    public void All_cases_are_there() => Assert.Equal(124, Cases.Count);

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Archive_is_judged_as_the_vector_says(string id, string title)
    {
        _ = title;
        JsonElement vector = Cases[id];
        string verdict = (vector.TryGetProperty("recommended", out JsonElement recommended) ? recommended : vector.GetProperty("verdict")).GetString()!;
        string file = TestData.File("vectors/" + vector.GetProperty("file").GetString());
        AciReport report;
        await using (FileStream stream = File.OpenRead(file))
        {
            report = await AciValidator.CheckAsync(stream);
        }

        ImageStore store = new(_root);
        ImportOptions insecure = new() { Trust = TrustPolicy.Insecure };
        if (verdict == "reject")
        {
            Assert.NotEmpty(report.Findings);
            Assert.Null(report.Summary);
            await using FileStream stream = File.OpenRead(file);
            await Assert.ThrowsAnyAsync<AppcException>(() => AciValidator.ValidateAsync(stream));
            AppcException e = await Assert.ThrowsAnyAsync<AppcException>(() => store.ImportAsync(file, insecure));
            Assert.DoesNotContain(e.Message, char.IsControl);
            Assert.Empty(await store.ListAsync());
            return;
        }

        Assert.Empty(report.Findings);
        StoredImage image = await store.ImportAsync(file, insecure);
        Assert.Equal(vector.GetProperty("imageID").GetString(), image.Id.ToString());
        Assert.Equal(image.Id, report.Summary!.Id);
        Assert.Equal(vector.GetProperty("compression").GetString(), report.Summary.Compression);
    }
}
