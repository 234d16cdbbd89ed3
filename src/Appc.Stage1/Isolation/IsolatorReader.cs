using System.Text.Json;
using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>Reads the values of isolators that flavours enforce.</summary>
internal static class IsolatorReader
{
    /// <summary>The isolator of a name, the last one if there are several; null if there is none.</summary>
    internal static Isolator? Find(IReadOnlyList<Isolator> isolators, string name) =>
        isolators.LastOrDefault(i => i.Name.ToString() == name);

    /// <summary>The <c>set</c> member: a list of names.</summary>
    /// <exception cref="LaunchException">The value is not of this form.</exception>
    internal static IReadOnlyList<string> ReadSet(Isolator isolator) => Read<IReadOnlyList<string>>(isolator, static value =>
        [.. value.GetProperty("set").EnumerateArray().Select(e => e.GetString() ?? throw new FormatException("null in the set"))]);

    /// <summary>A truth value; false if there is no such isolator.</summary>
    /// <exception cref="LaunchException">The value is not of this form.</exception>
    internal static bool ReadBoolean(IReadOnlyList<Isolator> isolators, string name) =>
        Find(isolators, name) is { } isolator && Read(isolator, static value => value.GetBoolean());

    /// <summary>An integer; null if there is no such isolator.</summary>
    /// <exception cref="LaunchException">The value is not of this form.</exception>
    internal static int? ReadInteger(IReadOnlyList<Isolator> isolators, string name) =>
        Find(isolators, name) is { } isolator ? Read<int?>(isolator, static value => value.GetInt32()) : null;

    private static T Read<T>(Isolator isolator, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(isolator.ValueJson);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LaunchException("read the isolators", 0, $"the value of the isolator {isolator.Name} is malformed", null, e);
        }
    }
}
