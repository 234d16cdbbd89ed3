using System.Text;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Core.Tests.Images;

/// <summary>Images built from entries, and from other images.</summary>
public class AciWriterEntriesTests
{
    private static readonly ImageManifest Manifest = ImageManifest.Parse(ImageFixture.Manifest("example.com/built"));
    private static readonly AciBuildOptions Plain = new() { Compression = ArchiveCompression.None };

    /// <summary>A tree as a script makes it and as entries make it, with names whose order is easily got wrong.</summary>
    private const string Script = """
        set -e
        umask 022
        mkdir -p a/b 'a-b' a.d; printf one > a/b/file; printf two > a-b/file; printf three > a.d/file; printf '' > a/empty
        ln a/b/file a.d/z-link; ln a/b/file a/a-link; ln -s ../x/y a/soft; mkfifo pipe; mknod null c 1 3; mknod disk b 8 17
        chown 12:4000000000 a/b/file; chmod 4755 a/b/file; setfattr -n user.note -v note a-b/file; printf x > $'odd-\xff'
        chmod 0700 a.d; head -c 300000 /dev/zero | tr '\0' x > large
        find . -exec touch -h -d @1500000000.5 {} +
        """;

    private static List<AciEntry> ScriptEntries(string scratch)
    {
        File.WriteAllText(Path.Combine(scratch, "one"), "one");
        AciEntry file = AciEntry.File("/a/b/file", Path.Combine(scratch, "one"));
        (file.Uid, file.Gid, file.Mode) = (12, 4_000_000_000, Convert.ToInt32("4755", 8));
        AciEntry noted = AciEntry.File("a-b/file", "two"u8.ToArray());
        noted.Attributes["user.note"] = "note"u8.ToArray();
        AciEntry closed = AciEntry.Directory("a.d");
        closed.Mode = Convert.ToInt32("700", 8);
        AciEntry odd = AciEntry.File("odd", "x"u8.ToArray());
        odd.PathBytes = new byte[] { (byte)'o', (byte)'d', (byte)'d', (byte)'-', 0xff };
        List<AciEntry> entries =
        [
            AciEntry.HardLink("a/a-link", "a.d/z-link"), AciEntry.HardLink("a.d/z-link", "a/b/file"), odd, file, noted, closed,
            AciEntry.File("large", 300_000, () => new MemoryStream(Enumerable.Repeat((byte)'x', 300_000).ToArray())),
            AciEntry.Directory(""), AciEntry.Directory("a/b/"), AciEntry.Directory("a"), AciEntry.Directory("./a-b"), AciEntry.File("a/empty", Array.Empty<byte>()),
            AciEntry.File("a.d/file", "three"u8.ToArray()), AciEntry.SymbolicLink("a/soft", "../x/y"), AciEntry.Fifo("pipe"),
            AciEntry.Device("null", block: false, 1, 3), AciEntry.Device("disk", block: true, 8, 17),
        ];
        foreach (AciEntry entry in entries)
        {
            entry.ModifyTime = DateTimeOffset.FromUnixTimeMilliseconds(1_500_000_000_500);
        }

        return entries;
    }

    [Fact]
    public async Task Entries_give_the_same_bytes_as_a_directory_whatever_their_order()
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{tree}'\n{Script}");
        string fromDirectory = Path.Combine(fixture.Scratch, "directory.aci");
        ImageId expected = await AciWriter.BuildAsync(Manifest, tree, fromDirectory, Plain);
        List<AciEntry> entries = ScriptEntries(fixture.Scratch);
        AciEntry[] shuffled = [.. entries];
        new Random(5).Shuffle(shuffled);

        foreach ((IEnumerable<AciEntry> order, string name) in ((IEnumerable<AciEntry>, string)[])[(entries, "1.aci"), (shuffled, "2.aci"), (entries.AsEnumerable().Reverse(), "3.aci")])
        {
            string file = Path.Combine(fixture.Scratch, name);
            Assert.Equal(expected, await AciWriter.BuildAsync(Manifest, order, file, Plain));
            Assert.Equal(File.ReadAllBytes(fromDirectory), File.ReadAllBytes(file));
        }

        StoredImage image = await fixture.Store.ImportAsync(fromDirectory, ImageFixture.Insecure());
        Assert.Equal(ImageFixture.Describe(tree), ImageFixture.Describe(image.TreePath!));
    }

    [Fact]
    public async Task Entries_need_no_parents_and_no_root()
    {
        using ImageFixture fixture = new();
        string file = Path.Combine(fixture.Scratch, "bare.aci");

        await AciWriter.BuildAsync(Manifest, [AciEntry.File("deep/er/file", "x"u8.ToArray())], file, Plain);

        Assert.Equal("manifest\nrootfs/\nrootfs/deep/er/file\n", ImageFixture.Shell($"tar -tf '{file}'"));
        Assert.Equal("-rw-r--r-- 0/0 1 1970-01-01 00:00", ImageFixture.Shell($"TZ=UTC tar --numeric-owner -tvf '{file}' rootfs/deep/er/file | sed 's/ *rootfs.*//; s/  */ /g'").Trim());
        await fixture.Store.ImportAsync(file, ImageFixture.Insecure());
    }

    public static TheoryData<string, AciEntry[]> Refused => new()
    {
        { "before", [AciEntry.File("a", [1]), AciEntry.Fifo("/a")] },
        { "below something that is no directory", [AciEntry.File("a", [1]), AciEntry.File("a/b", [1])] },
        { "below something that is no directory", [AciEntry.SymbolicLink("a", "b"), AciEntry.Directory("b"), AciEntry.File("a/c", [1])] },
        { "parent segment", [AciEntry.File("a/../../b", [1])] },
        { "longer than 255", [AciEntry.File(new string('n', 256), [1])] },
        { "not in the tree", [AciEntry.HardLink("a", "b")] },
        { "not in the tree", [AciEntry.HardLink("a", "b"), AciEntry.HardLink("b", "a")] },
        { "is a directory", [AciEntry.HardLink("a", "b"), AciEntry.Directory("b")] },
        { "without a proper target", [AciEntry.SymbolicLink("a", "")] },
        { "0:0", [AciEntry.Device("a", block: false, 0, 0)] },
        { "device number out of range", [AciEntry.Device("a", block: true, 4096, 0)] },
        { "own directory is no directory", [AciEntry.File("/", [1])] },
        { "another length", [AciEntry.File("a", 5, () => new MemoryStream(new byte[4]))] },
        { "another length", [AciEntry.File("a", 5, () => new MemoryStream(new byte[6]))] },
        { "cannot be read", [AciEntry.File("a", "/nonexistent/file")] },
        { "mode out of range", [new Func<AciEntry>(() => { AciEntry e = AciEntry.Fifo("a"); e.Mode = 0x1000; return e; })()] },
        { "owner out of range", [new Func<AciEntry>(() => { AciEntry e = AciEntry.Fifo("a"); e.Uid = uint.MaxValue; return e; })()] },
        { "overlayfs", [new Func<AciEntry>(() => { AciEntry e = AciEntry.Directory("a"); e.Attributes["trusted.overlay.opaque"] = [1]; return e; })()] },
        { "proper name", [new Func<AciEntry>(() => { AciEntry e = AciEntry.Directory("a"); e.Attributes["user.a\0b"] = [1]; return e; })()] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_no_image_can_hold_is_refused_and_leaves_no_file(string said, AciEntry[] entries)
    {
        using ImageFixture fixture = new();
        string directory = fixture.NewDirectory();

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => AciWriter.BuildAsync(Manifest, entries, Path.Combine(directory, "x.aci")));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    [Theory]
    [InlineData("--format=posix --xattrs --xattrs-include=* --sparse --sparse-version=1.0", "gzip")]
    [InlineData("--format=gnu --sparse", "xz")]
    public async Task An_image_without_changes_keeps_everything(string format, string compress)
    {
        using ImageFixture fixture = new();
        string source = fixture.Pack("example.com/source", RichTree.Fill, "\"annotations\":[]", format, compress);
        string changed = Path.Combine(fixture.Scratch, "changed.aci");

        ImageId id = await AciWriter.ChangeAsync(source, new AciChanges(), changed);
        ImageId again = await AciWriter.ChangeAsync(changed, new AciChanges(), Path.Combine(fixture.Scratch, "again.aci"));

        Assert.Equal(id, again);
        Assert.Equal(File.ReadAllBytes(changed), File.ReadAllBytes(Path.Combine(fixture.Scratch, "again.aci")));
        StoredImage before = await fixture.Store.ImportAsync(source, ImageFixture.Insecure());
        StoredImage after = await fixture.Store.ImportAsync(changed, ImageFixture.Insecure(o => o.ExpectedId = id));
        Assert.Equal(ImageFixture.Describe(before.TreePath!), ImageFixture.Describe(after.TreePath!));
        string manifest = "tar -xOf '{0}' manifest; tar --numeric-owner --full-time -tvf '{0}' manifest";
        Assert.Equal(ImageFixture.Shell(manifest.Replace("{0}", source, StringComparison.Ordinal)), ImageFixture.Shell(manifest.Replace("{0}", changed, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Changes_change_what_they_name_and_nothing_else()
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{tree}'\n{Script}");
        string source = Path.Combine(fixture.Scratch, "source.aci");
        await AciWriter.BuildAsync(Manifest, tree, source, Plain);
        AciChanges changes = new() { Manifest = ImageManifest.Parse(ImageFixture.Manifest("example.com/changed")) };
        changes.Remove.Add("/a/b");
        changes.Remove.Add("pipe");
        AciEntry closed = AciEntry.Directory("a.d");
        closed.ModifyTime = DateTimeOffset.FromUnixTimeSeconds(1_400_000_000);
        foreach (AciEntry entry in (AciEntry[])[AciEntry.File("new", "new"u8.ToArray()), AciEntry.File("large", "small"u8.ToArray()), AciEntry.HardLink("aa", "a.d/file"), closed])
        {
            changes.Entries.Add(entry);
        }

        string changed = Path.Combine(fixture.Scratch, "changed.aci");
        await AciWriter.ChangeAsync(source, changes, changed, Plain);

        // The file under a/b had three names: what is left has its content, under the name that now comes first.
        ImageFixture.Shell($"""
            set -e; cd '{tree}'
            rm -r a/b pipe; printf new > new; rm large; printf small > large; ln a.d/file aa; chmod 755 a.d
            touch -d @0 new large; touch -d @1500000000.5 . a; touch -d @1400000000 a.d
            """);
        StoredImage image = await fixture.Store.ImportAsync(changed, ImageFixture.Insecure());
        Assert.Equal("example.com/changed", image.Manifest.Name.ToString());
        Assert.Equal(ImageFixture.Describe(tree), ImageFixture.Describe(image.TreePath!));
        string[] names = ImageFixture.Shell($"tar -tf '{changed}'").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string sorted = Path.Combine(fixture.Scratch, "sorted.aci");
        await AciWriter.BuildAsync(changes.Manifest, tree, sorted, Plain);
        Assert.Equal(ImageFixture.Shell($"tar -tf '{sorted}'").Split('\n', StringSplitOptions.RemoveEmptyEntries), names);
        Assert.Equal(File.ReadAllBytes(sorted)[2048..], File.ReadAllBytes(changed)[2048..]);
    }

    [Fact]
    public async Task What_cannot_be_changed_is_an_error_and_leaves_no_file()
    {
        using ImageFixture fixture = new();
        string source = fixture.Pack("example.com/source", root => ImageFixture.Shell($"cd '{root}' && mkdir d && printf x > d/f && printf y > g"));
        string directory = fixture.NewDirectory();
        string output = Path.Combine(directory, "x.aci");

        await Refuse("nothing at 'nope'", c => c.Remove.Add("nope"));
        await Refuse("cannot be removed", c => c.Remove.Add("/"));
        await Refuse("below something", c => c.Entries.Add(AciEntry.File("d", [1])));
        await Refuse("below something", c => c.Entries.Add(AciEntry.File("g/h", [1])));
        await Refuse("more than 2 entries", c => c.Limits.Entries = 2);
        File.WriteAllBytes(source, File.ReadAllBytes(source)[..^20]);
        await Refuse("gzip", _ => { });
        ImageException missing = await Assert.ThrowsAsync<ImageException>(() => AciWriter.ChangeAsync("/nonexistent.aci", new AciChanges(), output));
        Assert.Equal(ImageFailure.NotFound, missing.Failure);

        async Task Refuse(string said, Action<AciChanges> change)
        {
            AciChanges changes = new();
            change(changes);
            ImageException e = await Assert.ThrowsAsync<ImageException>(() => AciWriter.ChangeAsync(source, changes, output));
            Assert.Contains(said, e.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(directory));
        }
    }
}
