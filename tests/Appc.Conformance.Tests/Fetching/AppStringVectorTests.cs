using System.Text.Json;
using Appc.Fetching;

namespace Appc.Conformance.Tests.Fetching;

/// <summary>Names with version and labels, as the reference implementation reads them.</summary>
public sealed class AppStringVectorTests
{
    private static readonly Dictionary<string, JsonElement> Cases = VectorFile.Read("scalars.jsonl").Concat(VectorFile.Read("scalars.deviations.jsonl"))
        .Where(c => c.GetProperty("kind").GetString() == "app-string").ToDictionary(c => c.GetProperty("id").GetString()!);

    public static TheoryData<string, string> Ids => [.. Cases.Values.Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("input").GetString()!))];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Name_is_read_as_the_vector_says(string id, string input)
    {
        JsonElement vector = Cases[id];
        string verdict = (vector.TryGetProperty("recommended", out JsonElement recommended) ? recommended : vector.GetProperty("verdict")).GetString()!;

        ImageReference? reference = ImageReference.ReadName(input, out string? fault);

        Assert.Equal(verdict == "accept", reference is not null);
        Assert.Equal(verdict == "accept", fault is null);
        if (reference is not null)
        {
            JsonElement result = vector.GetProperty("result");
            Assert.Equal(result.GetProperty("name").GetString(), reference.Name!.ToString());
            Assert.Equal(
                result.GetProperty("labels").EnumerateObject().Select(l => (l.Name, l.Value.GetString()!)).Order(),
                reference.Labels.Select(l => (l.Name.ToString(), l.Value)).Order());
        }
    }
}
