using System.Text;
using Appc.Images;
using Appc.Images.Compression;
using Appc.Linux;

namespace Appc.Core.Tests.Images;

/// <summary>The decoders against the real tools, over their parameters, and against every kind of damage.</summary>
public sealed class DecompressorTests
{
    /// <summary>Text, noise, long runs and far repeats: 700 KB that make use of all that the formats have.</summary>
    private static readonly byte[] Content = MakeContent(700_000);

    private static readonly byte[] Small = MakeContent(700);

    public static TheoryData<string> XzParameters =>
    [
        "-0", "-6", "-9e", "-1 --check=none", "-1 --check=crc32", "-6 --check=sha256", "-6 --block-size=50000", "-3 -T2 --block-size=100000 --check=sha256",
        "--lzma2=dict=4KiB", "--lzma2=dict=64KiB,lc=0,lp=2,pb=0", "--lzma2=dict=96KiB,lc=4,lp=0,pb=4", "--lzma2=dict=1MiB,lc=1,lp=3,pb=1,mode=fast,mf=hc3,nice=5",
        "--lzma2=dict=96MiB", "--flush-timeout=1 -2",
    ];

    public static TheoryData<string> ZstdParameters =>
        ["-1", "-3", "-19", "-19 --long=27", "--ultra -22", "-3 --no-check", "--fast=5", "-5 -B50000 -T2", "--long=24 -7", "-9 --format=zstd --no-compress-literals"];

    private static bool IsXz(string tool) => tool.StartsWith("xz", StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(XzParameters))]
    public void Xz_gives_what_went_into_it(string parameters)
    {
        byte[] file = Compress("xz -c " + parameters, Content);
        AssertGives(Content, Managed, file);
        AssertGives(Content, Native, file);

        // Streams follow each other, with or without padding, and one of them may be empty.
        byte[] several = [.. file, .. new byte[8], .. Compress("xz -c -T1", []), .. file];
        AssertGives([.. Content, .. Content], Managed, several);
        AssertGives([.. Content, .. Content], Native, several);
    }

    [Theory]
    [MemberData(nameof(ZstdParameters))]
    public void Zstd_gives_what_went_into_it(string parameters)
    {
        byte[] file = Compress("zstd -q -c " + parameters, Content);
        byte[] skipped = [0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
        AssertGives(Content, Zstd, file);
        AssertGives([.. Content, .. Content], Zstd, [.. skipped, .. file, .. skipped, .. Compress("zstd -q -c", []), .. file, .. skipped]);
    }

    [Theory]
    [InlineData("xz -c --check=crc32")]
    [InlineData("xz -c --check=crc64 --block-size=300")]
    [InlineData("xz -c -9e --check=sha256")]
    [InlineData("zstd -q -c -19 --check")]
    [InlineData("zstd -q -c -1 --check")]
    public void No_damage_gives_wrong_content(string command)
    {
        byte[] file = Compress(command, Small);
        foreach (Func<ArchiveInput, IDecompressor> open in IsXz(command) ? [Managed, Native] : (Func<ArchiveInput, IDecompressor>[])[Zstd])
        {
            for (int i = 0; i < file.Length; i++)
            {
                foreach (byte change in (byte[])[0x01, 0x10, 0x80, 0xff])
                {
                    byte[] damaged = [.. file];
                    damaged[i] ^= change;
                    Assert.True(TryRead(open, damaged) is not { } content || content.AsSpan().SequenceEqual(Small), $"byte {i} changed by {change:x} gives something else");
                }
            }
        }
    }

    [Theory]
    [InlineData("xz -c --check=none")]
    [InlineData("xz -c --check=crc64 --block-size=300")]
    [InlineData("zstd -q -c --check")]
    [InlineData("zstd -q -c --no-check")]
    public void Cut_off_anywhere_is_an_error(string command)
    {
        byte[] file = Compress(command, Small);
        foreach (Func<ArchiveInput, IDecompressor> open in IsXz(command) ? [Managed, Native] : (Func<ArchiveInput, IDecompressor>[])[Zstd])
        {
            for (int length = 1; length < file.Length; length++)
            {
                Assert.True(TryRead(open, file[..length]) is null, $"{length} of {file.Length} bytes are taken for the whole");
            }

            // The same behind a whole one, which must not hide it; and what is no such data at all.
            Assert.Null(TryRead(open, [.. file, .. file[..^1]]));
            Assert.Null(TryRead(open, [.. file, .. "junk"u8]));
        }
    }

    [Fact]
    public void Every_byte_of_an_xz_file_matters_to_the_managed_decoder()
    {
        byte[] file = Compress("xz -c --check=crc32 --block-size=300", Small);
        for (int i = 0; i < file.Length; i++)
        {
            byte[] damaged = [.. file];
            damaged[i] ^= 0x20;
            Assert.True(TryRead(Managed, damaged) is null, $"byte {i} does not matter");
        }
    }

    [Theory]
    [InlineData("xz -c --lzma2=dict=128MiB", "xz -9")]
    [InlineData("xz -c --lzma2=dict=1536MiB", "xz -9")]
    [InlineData("zstd -q -c --long=28", "--long=27")]
    public void Memory_is_not_taken_because_a_header_asks_for_it(string command, string hint)
    {
        byte[] file = Compress(command, Small);
        foreach (Func<ArchiveInput, IDecompressor> open in IsXz(command) ? [Managed, Native] : (Func<ArchiveInput, IDecompressor>[])[Zstd])
        {
            ImageException e = Assert.Throws<ImageException>(() => Read(open, file));
            Assert.Equal(ImageFailure.LimitExceeded, e.Failure);
            Assert.Contains(hint, e.Hint, StringComparison.Ordinal);
        }

        // What is allowed is taken only as far as data comes.
        byte[] large = Compress("xz -c --lzma2=dict=96MiB", Small);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(Small, Read(Managed, large));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
    }

    [Fact]
    public void Many_small_blocks_cost_no_memory_each()
    {
        byte[] file = Compress("xz -c -0 --block-size=16", MakeContent(40_000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Read(Managed, file);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void A_checksum_that_cannot_be_checked_is_refused()
    {
        byte[] file = Compress("xz -c --check=crc32", Small);
        file[7] = 2;
        BitConverter.TryWriteBytes(file.AsSpan(8), Crc32.Append(0, file.AsSpan(6, 2)));
        foreach (Func<ArchiveInput, IDecompressor> open in (Func<ArchiveInput, IDecompressor>[])[Managed, Native])
        {
            Assert.Contains("kind of checksum", Assert.Throws<ImageException>(() => Read(open, file)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--delta=dist=4", "0x3")]
    [InlineData("--x86", "0x4")]
    public void Filters_need_liblzma_and_say_so(string filter, string said)
    {
        byte[] file = Compress($"xz -c {filter} --lzma2", Content);
        Assert.Equal(Content, Read(Native, file));
        ImageException e = Assert.Throws<ImageException>(() => Read(Managed, file));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Contains("liblzma", e.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dictionary_that_is_not_in_the_file_is_named()
    {
        using ImageFixture fixture = new();
        string dictionary = Path.Combine(fixture.Scratch, "dictionary");
        ImageFixture.Shell($"mkdir '{fixture.Scratch}/samples' && for i in $(seq 200); do seq $i $((i * 7)) > '{fixture.Scratch}'/samples/$i; truncate -s '<400' '{fixture.Scratch}'/samples/$i; done && zstd -q --train '{fixture.Scratch}'/samples/* --maxdict=4096 -o '{dictionary}'");
        byte[] file = Compress($"zstd -q -c -D '{dictionary}'", Small);
        Assert.Contains("dictionary", Assert.Throws<ImageException>(() => Read(Zstd, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Crc64_is_that_of_the_standard()
    {
        Assert.Equal(0x995DC9BBDF1939FAUL, Crc64.Append(0, "123456789"u8));
        Assert.Equal(Crc64.Append(0, Content), Crc64.Append(Crc64.Append(0, Content.AsSpan(0, 12345)), Content.AsSpan(12345)));
    }

    [Fact]
    public async Task Zstd_is_taken_only_where_it_is_allowed()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/zstd", root => File.WriteAllBytes(Path.Combine(root, "data"), Content), compress: "zstd -q");

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ImportAsync(archive, ImageFixture.Insecure()));
        Assert.Equal(ImageFailure.BadArchive, e.Failure);
        Assert.Contains("zstd", e.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(ArchiveLimits.AllowZstd), e.Hint, StringComparison.Ordinal);
        Assert.Empty(fixture.Leftovers());
        await using (FileStream stream = File.OpenRead(archive))
        {
            Assert.Contains("zstd", Assert.Single((await AciValidator.CheckAsync(stream)).Findings).Message, StringComparison.Ordinal);
            stream.Position = 0;
            Assert.Equal("zstd", (await AciValidator.ValidateAsync(stream, new ArchiveLimits { AllowZstd = true })).Compression);
        }

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure(o => o.Limits.AllowZstd = true));
        Assert.Equal(Content, File.ReadAllBytes(Path.Combine(image.TreePath!, "data")));
    }

    [Fact]
    public void Liblzma_is_what_a_system_that_has_it_uses()
    {
        Assert.True(Liblzma.IsAvailable);
        using ArchiveInput input = new(new MemoryStream(Compress("xz -c", Small)));
        using IDecompressor decompressor = Decompressor.Open(input, new ArchiveLimits());
        Assert.IsType<XzDecompressor>(decompressor);
    }

    private static ManagedXzDecompressor Managed(ArchiveInput input) => new(input);

    private static XzDecompressor Native(ArchiveInput input) => new(input);

    private static ZstdDecompressor Zstd(ArchiveInput input) => new(input);

    private static void AssertGives(byte[] expected, Func<ArchiveInput, IDecompressor> open, byte[] file) =>
        Assert.True(expected.AsSpan().SequenceEqual(Read(open, file)), "the content differs");

    private static byte[]? TryRead(Func<ArchiveInput, IDecompressor> open, byte[] file)
    {
        try
        {
            return Read(open, file);
        }
        catch (ImageException)
        {
            return null;
        }
    }

    /// <summary>Reads in pieces of odd sizes, down to single bytes.</summary>
    private static byte[] Read(Func<ArchiveInput, IDecompressor> open, byte[] file)
    {
        using ArchiveInput input = new(new MemoryStream(file));
        using IDecompressor decompressor = open(input);
        using MemoryStream content = new();
        byte[] buffer = new byte[70_001];
        Random random = new(3);
        int length;
        while ((length = decompressor.Read(buffer.AsSpan(0, random.Next(4) == 0 ? random.Next(1, 10) : random.Next(1, buffer.Length)))) > 0)
        {
            content.Write(buffer, 0, length);
        }

        return content.ToArray();
    }

    private static byte[] Compress(string command, byte[] content)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, content);
            ImageFixture.Shell($"cat '{file}' | {command} > '{file}.out'");
            return File.ReadAllBytes(file + ".out");
        }
        finally
        {
            File.Delete(file);
            File.Delete(file + ".out");
        }
    }

    private static byte[] MakeContent(int length)
    {
        Random random = new(length);
        using MemoryStream content = new();
        while (content.Length < length)
        {
            switch (random.Next(4))
            {
                case 0:
                    content.Write(Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(random.Next(1000), random.Next(1, 60)))));
                    break;
                case 1:
                    byte[] noise = new byte[random.Next(1, 300)];
                    random.NextBytes(noise);
                    content.Write(noise);
                    break;
                case 2:
                    content.Write(Enumerable.Repeat((byte)random.Next(256), random.Next(1, 700)).ToArray());
                    break;
                default:
                    byte[] sofar = content.ToArray();
                    int from = random.Next(sofar.Length);
                    content.Write(sofar, from, Math.Min(sofar.Length - from, random.Next(4000)));
                    break;
            }
        }

        return content.ToArray()[..length];
    }
}
