using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>
/// Compares documents by meaning, as the vectors' README lays down: the order of members and the spelling of numbers
/// and strings do not count, and absent, null and empty are the same but in the value of an isolator.
/// </summary>
internal static class SameJson
{
    /// <summary>The first difference, or null.</summary>
    public static string? Difference(JsonNode? expected, JsonNode? actual, string path = "$", bool strict = false)
    {
        if (!strict && IsNothing(expected) && IsNothing(actual))
        {
            return null;
        }

        switch (expected)
        {
            case JsonObject expectedObject when actual is JsonObject actualObject:
                foreach (string name in expectedObject.Select(pair => pair.Key).Union(actualObject.Select(pair => pair.Key)))
                {
                    bool inIsolator = strict || (name == "value" && path.Contains("isolators[", StringComparison.Ordinal));
                    if (strict && expectedObject.ContainsKey(name) != actualObject.ContainsKey(name))
                    {
                        return $"{path}.{name}";
                    }

                    if (Difference(expectedObject[name], actualObject[name], $"{path}.{name}", inIsolator) is { } difference)
                    {
                        return difference;
                    }
                }

                return null;
            case JsonArray expectedArray when actual is JsonArray actualArray && expectedArray.Count == actualArray.Count:
                for (int index = 0; index < expectedArray.Count; index++)
                {
                    if (Difference(expectedArray[index], actualArray[index], $"{path}[{index}]", strict) is { } difference)
                    {
                        return difference;
                    }
                }

                return null;
            case JsonValue expectedValue when actual is JsonValue actualValue && expectedValue.GetValueKind() == actualValue.GetValueKind():
                bool same = expectedValue.GetValueKind() switch
                {
                    JsonValueKind.String => (string)expectedValue! == (string)actualValue!,
                    JsonValueKind.Number => Number(expectedValue) == Number(actualValue),
                    _ => true,
                };
                return same ? null : $"{path}: {expectedValue.ToJsonString()} and {actualValue.ToJsonString()}";
            case null when actual is null:
                return null;
            default:
                return $"{path}: {expected?.ToJsonString() ?? "null"} and {actual?.ToJsonString() ?? "null"}";
        }
    }

    private static bool IsNothing(JsonNode? node) => node is null or JsonArray { Count: 0 } or JsonObject { Count: 0 };

    private static (BigInteger Mantissa, int Exponent) Number(JsonValue value)
    {
        string text = value.ToJsonString();
        int mark = text.IndexOfAny(['e', 'E']);
        int exponent = mark < 0 ? 0 : int.Parse(text[(mark + 1)..], CultureInfo.InvariantCulture);
        string digits = mark < 0 ? text : text[..mark];
        int point = digits.IndexOf('.', StringComparison.Ordinal);
        exponent -= point < 0 ? 0 : digits.Length - point - 1;
        BigInteger mantissa = BigInteger.Parse(digits.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        while (!mantissa.IsZero && mantissa % 10 == 0)
        {
            mantissa /= 10;
            exponent++;
        }

        return (mantissa, mantissa.IsZero ? 0 : exponent);
    }
}
