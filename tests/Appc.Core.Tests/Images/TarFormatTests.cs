using Appc.Images;

namespace Appc.Core.Tests.Images;

/// <summary>Archives of GNU tar in each of its formats, extracted by it and by the store, must give the same tree.</summary>
public class TarFormatTests
{
    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=gnu --sparse")]
    [InlineData("--format=posix --xattrs --xattrs-include=*")]
    [InlineData("--format=posix --xattrs --xattrs-include=* --sparse --sparse-version=1.0")]
    [InlineData("--format=posix --sparse --sparse-version=0.1")]
    [InlineData("--format=posix --sparse --sparse-version=0.0")]
    public async Task Archive_of_gnu_tar_gives_the_tree_that_gnu_tar_gives(string format)
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/rich", RichTree.Fill, tarOptions: format);
        string reference = fixture.NewDirectory();
        ImageFixture.Shell($"tar -C '{reference}' -xpzf '{archive}' --xattrs --xattrs-include='*' --numeric-owner");

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());

        Assert.Equal(ImageFixture.Describe(Path.Combine(reference, "rootfs")), ImageFixture.Describe(image.TreePath!));
        if (format.Contains("sparse", StringComparison.Ordinal))
        {
            long blocks = long.Parse(ImageFixture.Shell($"stat -c %b '{image.TreePath}/holes'"), System.Globalization.CultureInfo.InvariantCulture);
            Assert.InRange(blocks, 0, 200);
        }
    }

    [Theory]
    [InlineData("--format=ustar")]
    [InlineData("--format=v7")]
    [InlineData("--format=oldgnu")]
    public async Task Archive_of_an_old_format_gives_the_tree_that_gnu_tar_gives(string format)
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack(
            "example.com/plain",
            root => ImageFixture.Shell($"cd '{root}' && mkdir -p a/b && printf x > a/b/f && ln a/b/f a/hard && ln -s b/f a/soft && printf y > {new string('p', 60)} && touch -d @1000000000 a/b/f a/b a && chmod 4711 a/b/f"),
            tarOptions: format);
        string reference = fixture.NewDirectory();
        ImageFixture.Shell($"tar -C '{reference}' -xpzf '{archive}'");

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());

        Assert.Equal(ImageFixture.Describe(Path.Combine(reference, "rootfs")), ImageFixture.Describe(image.TreePath!));
    }

    [Theory]
    [InlineData("cat", "none")]
    [InlineData("gzip -1", "gzip")]
    [InlineData("bzip2", "bzip2")]
    [InlineData("xz -T1", "xz")]
    public async Task Compression_is_told_by_content_and_damage_is_found(string command, string expected)
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack(
            "example.com/compressed", root => ImageFixture.Shell($"head -c 800000 /dev/urandom | base64 > '{root}/data'"), compress: command);
        byte[] bytes = File.ReadAllBytes(archive);
        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());
        await using (FileStream stream = File.OpenRead(archive))
        {
            Assert.Equal(expected, (await AciValidator.ValidateAsync(stream)).Compression);
        }

        await fixture.Store.RemoveAsync(image.Id);
        foreach (int cut in (int[])[1, 4, 8, 9, 1000, bytes.Length / 2])
        {
            File.WriteAllBytes(archive, bytes[..^cut]);
            if (expected == "none" && cut < 1024)
            {
                continue;
            }

            ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ImportAsync(archive, ImageFixture.Insecure()));
            Assert.Equal(ImageFailure.BadArchive, e.Failure);
        }

        if (expected != "none")
        {
            File.WriteAllBytes(archive, [.. bytes, .. "junk"u8]);
            await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ImportAsync(archive, ImageFixture.Insecure()));
        }

        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Gzip_members_of_every_length_are_followed()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/members", root => ImageFixture.Shell($"head -c 200000 /dev/urandom > '{root}/data'"), compress: "cat");
        byte[] tar = File.ReadAllBytes(archive);
        using MemoryStream members = new();
        Random random = new(7);
        for (int at = 0; at < tar.Length;)
        {
            int length = Math.Min(tar.Length - at, random.Next(0, 3) == 0 ? random.Next(0, 20) : random.Next(0, 30000));
            using (System.IO.Compression.GZipStream gzip = new(members, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            {
                // A stream to which nothing was written leaves no member behind.
                gzip.Write(tar, at, length);
            }

            at += length;
        }

        string compressed = archive + ".gz";
        File.WriteAllBytes(compressed, members.ToArray());

        StoredImage image = await fixture.Store.ImportAsync(compressed, ImageFixture.Insecure());

        Assert.Equal("sha512-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(tar)), image.Id.ToString());
    }
}
