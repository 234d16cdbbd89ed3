using System.Formats.Tar;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Core.Tests.Images;

/// <summary>
/// Random trees: archives of GNU tar in every format read by the store, and archives of ours read by GNU tar, bsdtar
/// and System.Formats.Tar. All must give the tree that the archive was made of. APPC_TREES=N tries N trees a format.
/// </summary>
public sealed partial class TarDifferentialTests
{
    private static readonly int Trees = int.Parse(Environment.GetEnvironmentVariable("APPC_TREES") ?? "1", CultureInfo.InvariantCulture);
    private static readonly ImageManifest Manifest = ImageManifest.Parse(ImageFixture.Manifest("example.com/random"));

    public static TheoryData<string, string, int> Formats
    {
        get
        {
            TheoryData<string, string, int> data = [];
            foreach ((string format, string options) in ((string, string)[])
            [
                ("v7", ""), ("ustar", ""), ("oldgnu", ""), ("oldgnu", "--sparse"), ("gnu", ""), ("gnu", "--sparse"), ("posix", ""),
                ("posix", "--sparse --sparse-version=0.0"), ("posix", "--sparse --sparse-version=0.1"), ("posix", "--sparse --sparse-version=1.0"),
            ])
            {
                for (int i = 0; i < Trees; i++)
                {
                    data.Add(format, options, (i * 100) + data.Count);
                }
            }

            return data;
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1000, 2 * Trees)];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Gnu_tar_to_us(string format, string options, int seed)
    {
        using ImageFixture fixture = new();
        TreeFeatures features = TreeFeatures.Of(format);
        string layout = fixture.NewDirectory();
        File.WriteAllText(Path.Combine(layout, "manifest"), ImageFixture.Manifest("example.com/random"));
        string tree = Directory.CreateDirectory(Path.Combine(layout, "rootfs")).FullName;
        RandomTree.Fill(tree, seed, features);
        string archive = fixture.PackLayout(layout, $"--format={format} {options} --numeric-owner {(features.Attributes ? "--xattrs --xattrs-include=*" : "")}", "cat");
        string reference = fixture.NewDirectory();
        ImageFixture.Shell($"tar -C '{reference}' -xpf '{archive}' --xattrs --xattrs-include='*' --numeric-owner");

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());

        Assert.Equal(Describe(tree), Describe(Path.Combine(reference, "rootfs")));
        Assert.Equal(Describe(tree), Describe(image.TreePath!));
        string holes = Holes(image.TreePath!);
        Assert.Equal(Holes(Path.Combine(reference, "rootfs")), holes);
        if (options.Length > 0)
        {
            Assert.Equal(Holes(tree), holes);
            Assert.Contains("..", holes, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Ours_to_gnu_tar(int seed) => OursTo("tar --xattrs --xattrs-include='*' --numeric-owner -xp", seed, TreeFeatures.All);

    // bsdtar takes long names as text, and has the fraction of a time before 1970 on the wrong side of the second.
    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Ours_to_bsdtar(int seed) =>
        OursTo("LC_ALL=C.UTF-8 bsdtar --numeric-owner --xattrs -xp", seed, TreeFeatures.All with { FractionsBefore1970 = false, NamesOfBytes = false });

    // System.Formats.Tar has owners of 31 bits and takes attributes as text.
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Ours_to_the_platform(int seed)
    {
        using ImageFixture fixture = new();
        (string tree, string archive) = await Build(fixture, seed, TreeFeatures.All with { LargestId = int.MaxValue, Attributes = false });
        Assert.Equal(ByFindAndSha(tree), ByPlatform(archive));
    }

    private static async Task OursTo(string command, int seed, TreeFeatures features)
    {
        using ImageFixture fixture = new();
        (string tree, string archive) = await Build(fixture, seed, features);
        string there = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{there}' && {command} -f '{archive}'");
        string expected = Describe(tree);
        Assert.Equal(expected, Describe(Path.Combine(there, "rootfs")));
        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());
        Assert.Equal(expected, Describe(image.TreePath!));
    }

    private static async Task<(string Tree, string Archive)> Build(ImageFixture fixture, int seed, TreeFeatures features)
    {
        string tree = fixture.NewDirectory();
        RandomTree.Fill(tree, seed, features);
        string archive = Path.Combine(fixture.Scratch, "ours.aci");
        await AciWriter.BuildAsync(Manifest, tree, archive, new AciBuildOptions { Compression = ArchiveCompression.None });
        return (tree, archive);
    }

    [Fact]
    public async Task Odd_names_of_attributes_go_both_ways_as_gnu_tar_writes_them()
    {
        using ImageFixture fixture = new();
        string[] names = ["user.a=b", "user.=", "user.%", "user.%41", "user.%3D", "user.%25=%3d"];
        string set = string.Join("; ", names.Select(n => $"setfattr -n '{n}' -v '{n}' f"));
        string archive = fixture.Pack("example.com/a", root => ImageFixture.Shell($"cd '{root}' && printf x > f; {set}"), tarOptions: "--format=posix --xattrs --xattrs-include=*", compress: "cat");

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());
        string expected = ImageFixture.Shell($"cd '{image.TreePath}' && getfattr -d -m - f | tr -d '\\'");
        Assert.Equal(names.Length, expected.Split("user.").Length / 2);

        string ours = Path.Combine(fixture.Scratch, "ours.aci");
        await AciWriter.BuildAsync(Manifest, image.TreePath!, ours, new AciBuildOptions { Compression = ArchiveCompression.None });
        string there = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{there}' && tar --xattrs --xattrs-include='*' -xpf '{ours}'");
        Assert.Equal(expected, ImageFixture.Shell($"cd '{there}/rootfs' && getfattr -d -m - f | tr -d '\\'"));
    }

    /// <summary>All but the sparse maps; names and values as bytes.</summary>
    private static string Describe(string tree) => ImageFixture.Shell(
        $"cd '{tree}' && find . -type d -printf '%P|d|%m|%U:%G|%T@\\0' -o -printf '%P|%y|%m|%U:%G|%s|%l|%T@|%n\\0' | LC_ALL=C sort -z | tr '\\0' '\\n'"
        + " && find . '(' -type c -o -type b ')' -print0 | LC_ALL=C sort -z | xargs -0 -r stat -c '%n %Hr:%Lr'"
        + " && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum"
        + " && find . '(' -type f -o -type d ')' -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m '^(user|security)' -e hex"
        + " && find . -type f -links +1 -printf '%P %i\\0' | LC_ALL=C sort -z | awk -v RS='\\0' '{ i = $NF; if (!(i in n)) n[i] = ++c; printf \"%d\\n\", n[i] }'");

    /// <summary>Where the file system has data, for every file: offset and length.</summary>
    private static string Holes(string tree)
    {
        StringBuilder text = new();
        foreach (string name in ImageFixture.Shell($"cd '{tree}' && find . -type f -size +0 -print0 | LC_ALL=C sort -z").Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}:");
            byte[] path = [.. Encoding.UTF8.GetBytes(tree + "/"), .. Encoding.Latin1.GetBytes(name), 0];
            int fd = open(path, 0);
            Assert.True(fd >= 0);
            const int SeekData = 3;
            const int SeekHole = 4;
            for (long at = 0; (at = lseek(fd, at, SeekData)) >= 0;)
            {
                long end = lseek(fd, at, SeekHole);
                text.Append(CultureInfo.InvariantCulture, $" {at}..{end}");
                at = end;
            }

            _ = close(fd);
            text.AppendLine();
        }

        return text.ToString();
    }

    /// <summary>What System.Formats.Tar, which knows text only, can say of a tree.</summary>
    private static string ByPlatform(string archive)
    {
        List<string> lines = [];
        Dictionary<string, string> files = [];
        using FileStream stream = File.OpenRead(archive);
        using TarReader reader = new(stream);
        while (reader.GetNextEntry() is { } entry)
        {
            if (!entry.Name.StartsWith("rootfs/", StringComparison.Ordinal))
            {
                continue;
            }

            string name = entry.Name[7..].TrimEnd('/');
            string content = entry.EntryType is TarEntryType.RegularFile ? Convert.ToHexStringLower(SHA256.HashData(entry.DataStream ?? Stream.Null)) : "";
            string key = entry.LinkName;
            string what = entry.EntryType switch
            {
                TarEntryType.HardLink => files[key[7..]],
                TarEntryType.SymbolicLink => "l " + key,
                TarEntryType.Directory => "d",
                TarEntryType.Fifo => "p",
                TarEntryType.CharacterDevice or TarEntryType.BlockDevice when entry is PosixTarEntry device =>
                    $"{(entry.EntryType == TarEntryType.BlockDevice ? 'b' : 'c')} {device.DeviceMajor}:{device.DeviceMinor}",
                _ => "f " + content,
            };
            files[name] = what;
            string ids = entry is PaxTarEntry pax
                ? $"{pax.ExtendedAttributes.GetValueOrDefault("uid", Text(entry.Uid))}:{pax.ExtendedAttributes.GetValueOrDefault("gid", Text(entry.Gid))}"
                : $"{entry.Uid}:{entry.Gid}";
            lines.Add($"{name}|{Convert.ToString((int)entry.Mode, 8)}|{ids}|{entry.ModificationTime.ToUnixTimeSeconds()}|{what}");
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The same, of the tree itself.</summary>
    private static string ByFindAndSha(string tree)
    {
        List<string> lines = [];
        string[] items = ImageFixture.Shell($"cd '{tree}' && find . -printf '%P\\0%m\\0%U:%G\\0%T@\\0%y\\0%l\\0'").Split('\0');
        Dictionary<string, string> sums = ImageFixture.Shell($"cd '{tree}' && find . -type f -print0 | xargs -0 -r sha256sum -z").Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(l => l[68..], l => l[..64]);
        Dictionary<string, string> devices = ImageFixture.Shell($"cd '{tree}' && find . '(' -type c -o -type b ')' -print0 | xargs -0 -r stat --printf '%n\\0%Hr:%Lr\\0'").Split('\0')
            .Chunk(2).Where(c => c.Length == 2).ToDictionary(c => c[0], c => c[1]);
        for (int i = 0; i + 5 < items.Length; i += 6)
        {
            string name = items[i];
            string what = items[i + 4] switch
            {
                "f" => "f " + sums[name],
                "l" => "l " + Decode(items[i + 5]),
                "c" or "b" => $"{items[i + 4]} {devices["./" + name]}",
                string other => other,
            };
            // Before 1970, too, find puts the seconds and the fraction that is to be added side by side.
            string seconds = items[i + 3].Split('.')[0];
            lines.Add($"{Decode(name)}|{items[i + 1]}|{items[i + 2]}|{seconds}|{what}");
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    /// <summary>What a reader of text makes of a name of bytes.</summary>
    private static string Decode(string latin) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(latin));

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte[] path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}
