using System.Text.Json;

namespace Appc.Conformance.Tests.Fetching;

/// <summary>Reads the cases of a vector file.</summary>
internal static class VectorFile
{
    public static IEnumerable<JsonElement> Read(string name)
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !Directory.Exists(Path.Combine(directory, "tests", "data", "vectors")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        string file = Path.Combine(directory ?? throw new DirectoryNotFoundException("tests/data/vectors"), "tests", "data", "vectors", name);
        return File.ReadLines(file).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement);
    }
}
