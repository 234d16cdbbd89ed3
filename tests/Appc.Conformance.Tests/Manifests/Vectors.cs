using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Appc.Conformance.Tests.Manifests;

/// <summary>The conformance vectors, as they lie in the source tree.</summary>
internal static class Vectors
{
    // A node is not safe to share between tests that run at the same time; its text is.
    private static readonly ConcurrentDictionary<string, FrozenDictionary<string, string>> s_lines = new();

    public static IReadOnlyList<JsonObject> Read(string file) =>
        [.. File.ReadLines(Path.Combine(Folder(), file)).Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!.AsObject())];

    /// <summary>One row of test data a case: its id and a title for people.</summary>
    public static TheoryData<string, string> Rows(string file, Func<JsonObject, bool>? where = null)
    {
        TheoryData<string, string> rows = [];
        foreach (JsonObject record in Read(file).Where(where ?? (_ => true)))
        {
            rows.Add(Text(record, "id"), Text(record, "title", "kind", "context"));
        }

        return rows;
    }

    public static JsonObject Find(string file, string id) => JsonNode.Parse(s_lines.GetOrAdd(file, LinesById)[id])!.AsObject();

    /// <summary>The bytes of the document of a case.</summary>
    public static byte[] Input(JsonObject record) =>
        record["inputBase64"] is { } bytes ? Convert.FromBase64String((string)bytes!) : Encoding.UTF8.GetBytes((string)record["input"]!);

    public static string Text(JsonObject record, params string[] names)
    {
        foreach (string name in names)
        {
            if (record[name] is { } value)
            {
                return (string)value!;
            }
        }

        return "";
    }

    private static FrozenDictionary<string, string> LinesById(string file) =>
        File.ReadLines(Path.Combine(Folder(), file)).Where(line => line.Length > 0)
            .ToFrozenDictionary(line => Text(JsonNode.Parse(line)!.AsObject(), "id"));

    private static string Folder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../data/vectors"));
}
