using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Appc.Images;
using Appc.Linux;

namespace Appc.Conformance.Tests.Images;

/// <summary>
/// The hostile archives, imported as root. Everything they could reach lies on file systems that only the test's own
/// thread sees, beside canaries that must stay as they were.
/// </summary>
[CollectionDefinition(nameof(HostileArchiveTests), DisableParallelization = true)]
[Collection(nameof(HostileArchiveTests))]
public sealed class HostileArchiveTests
{
    private const string Canary = "/appc-canary";
    private static readonly Dictionary<string, JsonElement> Cases = File.ReadLines(TestData.File("hostile/archives.jsonl"))
        .Select(l => JsonDocument.Parse(l).RootElement).ToDictionary(c => c.GetProperty("file").GetString()!);

    public static TheoryData<string> Files => [.. Cases.Keys];

    [Fact]
    public void All_cases_are_there() => Assert.Equal(225, Cases.Count);

    [Theory]
    [MemberData(nameof(Files))]
    public void Import_has_the_safe_outcome(string file)
    {
        HostileCase hostile = new(Cases[file]);
        string scratch = Path.Combine(Path.GetTempPath(), "appc-hostile-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(scratch);
        Directory.CreateDirectory(Canary);
        try
        {
            PrivateMounts.Run(() =>
            {
                PrivateMounts.MountTmpfs(scratch, "mode=0700");
                PrivateMounts.MountTmpfs(Canary, "mode=0700");
                Check(hostile, scratch);
            });
        }
        finally
        {
            Directory.Delete(scratch);
            Directory.Delete(Canary);
        }
    }

    private static void Check(HostileCase hostile, string scratch)
    {
        string victim = Path.Combine(Canary, "victim");
        File.WriteAllText(victim, "untouched\n");
        string root = Path.Combine(scratch, "above", "higher", "root");
        Directory.CreateDirectory(Path.GetDirectoryName(root)!);
        ImageStore store = new(root);
        _ = store.CreateTemporaryDirectory(out IDisposable made);
        made.Dispose();
        string before = Snapshot(scratch, root);

        Memory.Reset();
        Stopwatch clock = Stopwatch.StartNew();
        AppcException? error = null;
        StoredImage? image = null;
        try
        {
            image = store.ImportAsync(TestData.File("hostile/" + hostile.File), hostile.Options()).GetAwaiter().GetResult();
        }
        catch (AppcException e)
        {
            error = e;
        }

        Assert.True(clock.Elapsed < hostile.Time, $"it took {clock.Elapsed}");
        Assert.InRange(Memory.Growth(), 0, hostile.MemoryBytes);
        Assert.False(hostile.Outcome == "reject" && error is null, "it was imported");
        Assert.False(hostile.Outcome == "accept" && error is not null, error?.Message);
        Assert.Equal(before, Snapshot(scratch, root));
        if (error is not null)
        {
            string said = error.Message + error.Hint;
            Assert.DoesNotContain(said, char.IsControl);
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root, "images")));
        }

        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root, "tmp")));
        string tree = image?.TreePath ?? Path.Combine(root, "images", "none", "rootfs");
        foreach (string path in hostile.MustNotExist)
        {
            string full = path.StartsWith('/') ? path : Path.Combine(tree, path);
            Assert.False(ByteFile.TryStat(Encoding.UTF8.GetBytes(full), out _), $"{full} exists");
        }

        if (image is not null)
        {
            CheckImage(hostile, image);
            store.RemoveAsync(image.Id).GetAwaiter().GetResult();
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root, "images")));
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root, "tmp")));
        }
    }

    private static void CheckImage(HostileCase hostile, StoredImage image)
    {
        string[] known = ["image.aci", "manifest", "provenance.json", "rootfs", "implied"];
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(image.TreePath!)!).Select(Path.GetFileName).Except(known));
        foreach (JsonElement item in hostile.MustHold)
        {
            byte[] path = ByteFile.Join(image.TreePath!, HostileCase.PathOf(item));
            Assert.True(ByteFile.TryStat(path, out Libc.Statx stat), $"{item} is missing");
            foreach (JsonProperty property in item.EnumerateObject())
            {
                CheckProperty(property, path, stat);
            }
        }

        foreach (JsonElement item in hostile.MustNotHaveAttribute)
        {
            Assert.Null(ByteFile.Attribute(ByteFile.Join(image.TreePath!, HostileCase.PathOf(item)), item.GetProperty("name").GetString()!));
        }
    }

    private static void CheckProperty(JsonProperty property, byte[] path, Libc.Statx stat)
    {
        switch (property.Name)
        {
            case "path" or "pathHex":
                break;
            case "type":
                Assert.Equal(property.Value.GetString(), TypeName(stat.Type));
                break;
            case "content":
                Assert.Equal(property.Value.GetString(), Encoding.UTF8.GetString(Content(path)));
                break;
            case "contentSha256":
                Assert.Equal(property.Value.GetString(), Convert.ToHexStringLower(SHA256.HashData(Content(path))));
                break;
            case "size":
                Assert.Equal(property.Value.GetInt64(), stat.Size);
                break;
            case "mode":
                Assert.Equal(Convert.ToUInt32(property.Value.GetString(), 8), stat.Mode & 0xfffu);
                break;
            case "uid":
                Assert.Equal(property.Value.GetUInt32(), stat.Uid);
                break;
            case "gid":
                Assert.Equal(property.Value.GetUInt32(), stat.Gid);
                break;
            case "mtime":
                Assert.Equal(property.Value.GetInt64(), stat.ModifyTime.Seconds);
                break;
            case "target":
                Assert.Equal(property.Value.GetString(), Encoding.UTF8.GetString(ByteFile.ReadLink(path)));
                break;
            case "dev":
                Assert.Equal(property.Value.GetString(), $"{stat.RdevMajor}:{stat.RdevMinor}");
                break;
            case "links":
                Assert.Equal(property.Value.GetUInt32(), stat.Links);
                break;
            case "xattrs":
                foreach (JsonProperty attribute in property.Value.EnumerateObject())
                {
                    Assert.Equal(attribute.Value.GetString(), ByteFile.Attribute(path, attribute.Name));
                }

                break;
            default:
                Assert.Fail("unknown property " + property.Name);
                break;
        }
    }

    private static byte[] Content(byte[] path)
    {
        using FileStream file = ByteFile.Open(path);
        using MemoryStream content = new();
        file.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>The canary and all around the data directory: names, content, mode, owner, times, links.</summary>
    private static string Snapshot(string scratch, string root)
    {
        StringBuilder text = new();
        foreach (string path in Directory.EnumerateFileSystemEntries(Canary, "*", SearchOption.AllDirectories).Prepend(Canary)
            .Concat(Directory.EnumerateFileSystemEntries(scratch, "*", SearchOption.AllDirectories).Where(p => !p.StartsWith(root, StringComparison.Ordinal)).Prepend(scratch))
            .Concat(Directory.EnumerateFileSystemEntries(root)).Order(StringComparer.Ordinal))
        {
            Assert.True(ByteFile.TryStat(Encoding.UTF8.GetBytes(path), out Libc.Statx s));
            text.Append(CultureInfo.InvariantCulture, $"{path} {s.Mode:x} {s.Uid}:{s.Gid} ");
            bool own = path.StartsWith(root, StringComparison.Ordinal);
            text.AppendLine(own ? "" : $"{s.Links} {s.ModifyTime.Seconds}.{s.ModifyTime.Nanoseconds} {s.ChangeTime.Seconds}.{s.ChangeTime.Nanoseconds} {s.Size}");
        }

        return text.Append(File.ReadAllText(Path.Combine(Canary, "victim"))).ToString();
    }

    private static string TypeName(uint type) => type switch
    {
        Libc.S_IFREG => "file",
        Libc.S_IFDIR => "dir",
        Libc.S_IFLNK => "symlink",
        Libc.S_IFCHR => "char",
        Libc.S_IFBLK => "block",
        Libc.S_IFIFO => "fifo",
        _ => "other",
    };

    /// <summary>How far the process grew: its peak, which the kernel counts anew on request.</summary>
    private static class Memory
    {
        private static long _before;

        public static void Reset()
        {
            GC.Collect();
            File.WriteAllText("/proc/self/clear_refs", "5");
            _before = Peak();
        }

        public static long Growth() => Math.Max(0, Peak() - _before);

        private static long Peak() => long.Parse(
            File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) << 10;
    }
}
