using System.Globalization;
using System.Text.Json.Nodes;
using Appc.Manifests;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>Every case of the quantity vectors.</summary>
public sealed class QuantityVectorTests
{
    public static TheoryData<string, string> Agreed => Vectors.Rows("quantities.jsonl");

    public static TheoryData<string, string> Deviations => Vectors.Rows("quantities.deviations.jsonl");

    [Theory]
    [MemberData(nameof(Agreed))]
    public void Quantities_are_read_as_the_vectors_say(string id, string kind)
    {
        JsonObject record = Vectors.Find("quantities.jsonl", id);
        Check(kind, Vectors.Text(record, "input"), Vectors.Text(record, "verdict"), record);
    }

    [Theory]
    [MemberData(nameof(Deviations))]
    public void Quantities_follow_the_specification_where_the_reference_does_not(string id, string kind)
    {
        JsonObject record = Vectors.Find("quantities.deviations.jsonl", id);
        JsonObject? result = Vectors.Text(record, "recommend") == "reference" ? record["reference"]!.AsObject() : null;
        Check(kind, Vectors.Text(record, "input"), Vectors.Text(record, "recommended"), result);
    }

    internal static void Same(JsonNode? expected, Quantity? actual)
    {
        Assert.Equal(expected is null, actual is null);
        if (expected is not null)
        {
            Assert.Equal((string?)expected["value"], actual!.Value.ToString(CultureInfo.InvariantCulture));
            Assert.Equal((string?)expected["milli"], actual.MilliValue?.ToString(CultureInfo.InvariantCulture));
            Assert.Equal((string?)expected["canonical"], actual.ToString());
        }
    }

    private static void Check(string kind, string input, string verdict, JsonObject? result)
    {
        // A quantity in JSON stands in an isolator, and nowhere else.
        Quantity? quantity = null;
        bool accepted = kind == "quantity"
            ? Quantity.TryParse(input, out quantity)
            : TryLimit(input, out quantity);
        Assert.Equal(verdict == "accept", accepted);
        if (accepted && result is not null)
        {
            Same(result, quantity);
            Assert.Equal(decimal.Parse((string)result["exact"]!, CultureInfo.InvariantCulture), quantity!.Amount);
            Assert.Equal(quantity, Quantity.Parse(quantity.ToString()));
        }
    }

    private static bool TryLimit(string json, out Quantity? quantity)
    {
        quantity = null;
        try
        {
            quantity = ((MemoryIsolator)Isolator.Create(IsolatorNames.Memory, $"{{\"limit\":{json}}}")).Limit;
            return true;
        }
        catch (ManifestException)
        {
            return false;
        }
    }
}
