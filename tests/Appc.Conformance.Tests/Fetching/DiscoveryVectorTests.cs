using System.Text.Json;
using Appc.Fetching;
using Appc.Manifests;

namespace Appc.Conformance.Tests.Fetching;

public sealed class DiscoveryVectorTests
{
    private static readonly Dictionary<string, JsonElement> Cases =
        VectorFile.Read("discovery.jsonl").Concat(VectorFile.Read("discovery.deviations.jsonl")).ToDictionary(c => c.GetProperty("id").GetString()!);

    public static TheoryData<string, string> Ids => [.. Cases.Values.Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("title").GetString()!))];

    [Fact]
    public void All_cases_are_there() => Assert.Equal(153, Cases.Count);

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Discovery_gives_what_the_vector_says(string id, string title)
    {
        _ = title;
        JsonElement vector = Cases[id];
        JsonElement expected = vector;
        bool testEndpoints = true;
        if (vector.TryGetProperty("reference", out JsonElement reference))
        {
            expected = reference;

            // "either" leaves the endpoints open; the requests and the keys are the same in both readings.
            testEndpoints = vector.GetProperty("recommend").GetString() != "either";
        }

        string nameText = vector.GetProperty("name").GetString()!;
        if (expected.GetProperty("verdict").GetString() == "reject")
        {
            Assert.False(AcIdentifier.TryParse(nameText, out _));
            return;
        }

        var name = AcIdentifier.Parse(nameText);
        Label[] labels = [.. vector.GetProperty("labels").EnumerateObject().Select(l => new Label(AcIdentifier.Parse(l.Name), l.Value.GetString()!))];
        var pages = new PagesHandler(vector.GetProperty("pages"));
        using var discovery = new ImageDiscovery(new ImageFetcherOptions { HttpHandler = pages, MaxRetries = 0 });
        bool allowHttp = vector.GetProperty("allowHTTP").GetBoolean();
        DiscoveryResult images = await discovery.DiscoverAsync(name, labels, Options(allowHttp, images: true, keys: false));
        DiscoveryResult keys = await discovery.DiscoverAsync(name, labels, Options(allowHttp, images: false, keys: true));
        DiscoveryResult both = await discovery.DiscoverAsync(name, labels, Options(allowHttp, images: true, keys: true));

        JsonElement expectedKeys = expected.GetProperty("publicKeys");
        Assert.Equal(Texts(expectedKeys.GetProperty("keys")), keys.PublicKeys);
        Assert.Equal(Texts(expectedKeys.GetProperty("requests")), keys.Tried.Select(t => t.Url));
        Assert.Equal(keys.PublicKeys, both.PublicKeys);

        JsonElement expectedImages = vector.TryGetProperty("recommended", out JsonElement recommended) && recommended.ValueKind == JsonValueKind.Object
            ? recommended
            : expected.GetProperty("images");
        if (testEndpoints)
        {
            Assert.Equal(
                expectedImages.GetProperty("endpoints").EnumerateArray().Select(e => (e.GetProperty("aci").GetString()!, e.GetProperty("asc").GetString()!)),
                images.Images.Select(i => (i.Aci, i.Asc)));
            Assert.Equal(Texts(expected.GetProperty("images").GetProperty("requests")), images.Tried.Select(t => t.Url));
            Assert.Equal(images.Images, both.Images);
        }
    }

    private static DiscoveryOptions Options(bool allowHttp, bool images, bool keys) =>
        new() { AllowHttp = allowHttp, Images = images, PublicKeys = keys, DefaultPlatform = false };

    private static IEnumerable<string> Texts(JsonElement list) => list.EnumerateArray().Select(e => e.GetString()!);
}
