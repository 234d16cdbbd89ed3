using System.Text.Json;
using Appc.Signing.Tests.Support;
using Appc.Trust;
using Microsoft.Extensions.Time.Testing;

namespace Appc.Signing.Tests;

/// <summary>Every case of the corpus of hostile signatures.</summary>
public sealed class HostileSignatureTests
{
    public static TheoryData<string> Cases()
    {
        var data = new TheoryData<string>();
        foreach (string line in File.ReadLines(TestData.Path("hostile", "signatures.jsonl")).Where(l => l.Length > 0))
        {
            using var json = JsonDocument.Parse(line);
            data.Add(json.RootElement.GetProperty("signature").GetString()!);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Has_the_safe_outcome(string signature)
    {
        string line = File.ReadLines(TestData.Path("hostile", "signatures.jsonl"))
            .Single(l => l.Contains(JsonSerializer.Serialize(signature), StringComparison.Ordinal));
        using var json = JsonDocument.Parse(line);
        JsonElement test = json.RootElement;
        // The corpus has fixed dates; so has its test, lest keys expire under it.
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory["keys"], clock);
        foreach (JsonElement key in test.GetProperty("trusted").EnumerateArray())
        {
            await keystore.TrustAsync(await Read(key.GetString()!), test.GetProperty("prefix").GetString());
        }

        byte[] image = await Read(test.GetProperty("image").GetString()!);
        byte[] signatureFile = await Read(signature);
        string name = test.GetProperty("imageName").GetString()!;
        TrustException? refusal = await new OpenPgpVerifier(keystore, timeProvider: clock).RefusalAsync(image, signatureFile, name);

        string outcome = test.GetProperty("outcome").GetString()!;
        string told = refusal is null ? "trusted" : $"refused: {refusal.Failure}: {refusal.Message}";
        TestContext.Current.TestOutputHelper!.WriteLine($"{signature}: {told}");
        Assert.True(outcome == "either" || outcome == (refusal is null ? "trusted" : "refused"), $"{test.GetProperty("why").GetString()} But: {told}");

        static Task<byte[]> Read(string path) => File.ReadAllBytesAsync(TestData.Path("hostile", path));
    }
}
