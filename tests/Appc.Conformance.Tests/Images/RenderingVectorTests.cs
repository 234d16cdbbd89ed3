using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Appc.Conformance.Tests.Fetching;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Conformance.Tests.Images;

/// <summary>
/// Images with dependencies, imported into a store, stacked by the kernel's overlayfs as a pod has them, and held
/// against the tree that the vector tells.
/// </summary>
public sealed class RenderingVectorTests
{
    private static readonly Dictionary<string, JsonElement> Cases =
        VectorFile.Read("rendering.jsonl").Concat(VectorFile.Read("rendering.deviations.jsonl")).ToDictionary(c => c.GetProperty("id").GetString()!);

    public static TheoryData<string, string> Ids => [.. Cases.Values.Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("title").GetString()!))];

    [Fact]
    public void All_cases_are_there() => Assert.Equal(96, Cases.Count);

    [Theory]
    [MemberData(nameof(Ids))]
    public void Image_renders_as_the_vector_says(string id, string title)
    {
        _ = title;
        JsonElement vector = Cases[id];
        JsonElement expected = vector.TryGetProperty("recommend", out JsonElement recommend)
            ? vector.GetProperty(recommend.GetString() == "reference" ? "reference" : "spec")
            : vector;
        string scratch = Path.Combine(Path.GetTempPath(), "appc-rendering-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(scratch);
        try
        {
            PrivateMounts.Run(() =>
            {
                PrivateMounts.MountTmpfs(scratch, "mode=0700");
                Check(vector, expected, scratch);
            });
        }
        finally
        {
            Directory.Delete(scratch);
        }
    }

    private static void Check(JsonElement vector, JsonElement expected, string scratch)
    {
        ImageStore store = new(Path.Combine(scratch, "root"));
        string directory = TestData.File("vectors/" + vector.GetProperty("dir").GetString());
        Dictionary<string, ImageId> ids = [];
        foreach (string file in Directory.GetFiles(directory, "*.aci"))
        {
            StoredImage image = store.ImportAsync(file, new ImportOptions { Trust = TrustPolicy.Insecure }).GetAwaiter().GetResult();
            ids.Add(Path.GetFileName(file), image.Id);
        }

        ImageId top = ids[vector.GetProperty("top").GetString()!];
        if (expected.GetProperty("verdict").GetString() == "fails")
        {
            ImageException e = Assert.Throws<ImageException>(() => store.GetLayersAsync(top).GetAwaiter().GetResult());
            Assert.NotNull(e.Hint);
            return;
        }

        IReadOnlyList<string> layers = store.GetLayersAsync(top).GetAwaiter().GetResult();
        Assert.Equal(layers, store.GetLayersAsync(top).GetAwaiter().GetResult());
        string merged = layers[0];
        if (layers.Count > 1)
        {
            merged = Directory.CreateDirectory(Path.Combine(scratch, "merged")).FullName;
            PrivateMounts.MountOverlay(merged, layers);
        }

        SortedDictionary<string, string> actual = new(StringComparer.Ordinal);
        Describe(merged, "", actual);
        Assert.Equal(Expected(expected), actual);
    }

    private static SortedDictionary<string, string> Expected(JsonElement expected)
    {
        SortedDictionary<string, string> files = new(StringComparer.Ordinal);
        foreach (JsonProperty file in expected.GetProperty("files").EnumerateObject())
        {
            string type = file.Value.GetProperty("type").GetString()!;
            files.Add(file.Name, type switch
            {
                "symlink" => "symlink " + file.Value.GetProperty("target").GetString(),
                "file" => $"file {file.Value.GetProperty("mode").GetString()} {file.Value.GetProperty("sha512").GetString()}",
                _ => $"{type} {file.Value.GetProperty("mode").GetString()}",
            });
        }

        return files;
    }

    private static void Describe(string root, string path, SortedDictionary<string, string> files)
    {
        foreach (string full in Directory.EnumerateFileSystemEntries(root + path))
        {
            string name = full[root.Length..];
            byte[] bytes = Encoding.UTF8.GetBytes(full);
            Assert.True(ByteFile.TryStat(bytes, out Libc.Statx stat));
            string mode = Convert.ToString(stat.Mode & 0xfff, 8).PadLeft(4, '0');
            switch (stat.Type)
            {
                case Libc.S_IFLNK:
                    files.Add(name, "symlink " + Encoding.UTF8.GetString(ByteFile.ReadLink(bytes)));
                    break;
                case Libc.S_IFREG:
                    files.Add(name, $"file {mode} {Convert.ToHexStringLower(SHA512.HashData(File.ReadAllBytes(full)))}");
                    break;
                default:
                    files.Add(name, $"{(stat.Type == Libc.S_IFDIR ? "dir" : "other")} {mode}");
                    Describe(root, name, files);
                    break;
            }
        }
    }
}
