using System.Globalization;
using System.Text;
using Appc.Images;

namespace Appc.Core.Tests.Images;

/// <summary>Findings say which entry, and where in the uncompressed archive its header lies.</summary>
public sealed class AciValidatorTests
{
    [Theory]
    [InlineData("cat")]
    [InlineData("gzip")]
    [InlineData("xz")]
    public async Task Every_faulty_entry_is_found_with_its_place(string compress)
    {
        using ImageFixture fixture = new();
        string layout = fixture.NewDirectory();
        ImageFixture.Shell($$"""
            cd '{{layout}}' && mkdir -p rootfs/d && printf '{"acKind":"ImageManifest"}' > manifest && printf x > rootfs/d/f && ln -s d rootfs/s && mkdir other && ln rootfs/d/f rootfs/{{new string('h', 120)}}
            printf y > $'odd-\xff' && mknod rootfs/white c 0 0 && head -c 3000 /dev/zero > rootfs/z
            """);
        string tar = Path.Combine(fixture.Scratch, "faulty.tar");
        ImageFixture.Shell($"cd '{layout}' && tar --format=gnu --no-recursion -b1 -cf '{tar}' manifest rootfs rootfs/{new string('h', 120)} rootfs/d/f rootfs/d/f other $'odd-\\xff' rootfs/white rootfs/z rootfs/d/f");
        string archive = tar + ".aci";
        ImageFixture.Shell($"{compress} < '{tar}' > '{archive}'");
        long[] offsets = [.. ImageFixture.Shell($"tar -tRf '{tar}'").Split('\n').Where(l => l.StartsWith("block ", StringComparison.Ordinal) && !l.Contains("**", StringComparison.Ordinal)).Select(l => long.Parse(l[6..l.IndexOf(':', StringComparison.Ordinal)], CultureInfo.InvariantCulture) * 512)];

        AciReport report = await Check(File.ReadAllBytes(archive));

        // GNU tar counts the two blocks for a long target to their entry; the finding has the entry's own header.
        (string?, long?)[] expected =
        [
            ("manifest", offsets[0]), ("rootfs/d/f", offsets[4] + 1024), ("other/", offsets[5]), ("odd-\\xff", offsets[6]), ("rootfs/white", offsets[7]), ("rootfs/d/f", offsets[^1] + 1024), (null, null),
        ];
        Assert.Equal(expected, report.Findings.Select(f => (f.Entry, f.Offset)));
        Assert.Contains("its manifest is not valid", report.Findings[^1].Message, StringComparison.Ordinal);
        Assert.Null(report.Summary);
    }

    /// <summary>Faults that end the reading: what is patched into the header of rootfs/b, and whether its name is known then.</summary>
    [Theory]
    [InlineData(108, "99999", true)]
    [InlineData(124, "x", true)]
    [InlineData(124, "77777777777", true)]
    [InlineData(156, "Z", true)]
    [InlineData(157, "", true)]
    [InlineData(-148, "0000000", false)]
    [InlineData(-512, "cut", true)]
    public async Task A_fault_that_ends_the_reading_has_its_place(int at, string patch, bool named)
    {
        using ImageFixture fixture = new();
        string layout = fixture.NewDirectory();
        File.WriteAllText(Path.Combine(layout, "manifest"), ImageFixture.Manifest("example.com/a"));
        ImageFixture.Shell($"cd '{layout}' && mkdir rootfs && printf x > rootfs/a && head -c 2000 /dev/zero > rootfs/b && printf x > rootfs/c");
        byte[] tar = File.ReadAllBytes(fixture.PackLayout(layout, "--format=ustar -b1", "cat"));
        int header = tar.AsSpan().IndexOf("rootfs/b\0"u8);
        ArchiveLimits limits = new() { ExpandedBytes = 1 << 20 };
        if (at == -512)
        {
            tar = tar[..(header + 1024)];
        }
        else if (at == -148)
        {
            Encoding.ASCII.GetBytes(patch).CopyTo(tar.AsSpan(header + 148));
        }
        else if (at == 157)
        {
            limits.PathBytes = 8;
            tar[header + 8] = (byte)'x';
            Sum(tar.AsSpan(header, 512));
        }
        else
        {
            tar.AsSpan(header + at, 8).Clear();
            Encoding.ASCII.GetBytes(patch).CopyTo(tar.AsSpan(header + at));
            Sum(tar.AsSpan(header, 512));
        }

        AciFinding finding = Assert.Single((await Check(tar, limits)).Findings);

        Assert.Equal(header, finding.Offset);
        Assert.Equal(named ? at == 157 ? "rootfs/bx" : "rootfs/b" : null, finding.Entry);
    }

    [Fact]
    public async Task What_is_wrong_with_the_archive_as_a_whole_has_no_place()
    {
        using ImageFixture fixture = new();
        byte[] archive = File.ReadAllBytes(fixture.Pack("example.com/a", root => File.WriteAllText(Path.Combine(root, "f"), "x")));
        byte[] damaged = [.. archive];
        damaged[^6] ^= 1;
        string empty = fixture.NewDirectory();
        ImageFixture.Shell($"mkdir '{empty}/rootfs' && tar -C '{empty}' -cf '{empty}/x.tar' rootfs");

        foreach ((byte[] bytes, string said) in ((byte[], string)[])[(damaged, "gzip"), (archive[..^9], "gzip"), ([], "empty"), ("<html>"u8.ToArray(), "web page"), (File.ReadAllBytes(empty + "/x.tar"), "no manifest")])
        {
            AciFinding finding = Assert.Single((await Check(bytes)).Findings);
            Assert.Contains(said, finding.Message, StringComparison.Ordinal);
            Assert.Null(finding.Entry);
            Assert.Null(finding.Offset);
        }
    }

    private static async Task<AciReport> Check(byte[] archive, ArchiveLimits? limits = null)
    {
        using MemoryStream stream = new(archive);
        return await AciValidator.CheckAsync(stream, limits);
    }

    private static void Sum(Span<byte> header)
    {
        header[148..156].Fill((byte)' ');
        int sum = 0;
        foreach (byte b in header)
        {
            sum += b;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0").CopyTo(header[148..]);
    }
}
