using System.Net.Sockets;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Core.Tests.Images;

public class AciWriterTests
{
    private static readonly ImageManifest Manifest = ImageManifest.Parse(ImageFixture.Manifest("example.com/built"));

    [Theory]
    [InlineData(ArchiveCompression.None)]
    [InlineData(ArchiveCompression.Gzip)]
    [InlineData(ArchiveCompression.Bzip2)]
    public async Task Built_image_comes_back_the_same_by_the_store_and_by_gnu_tar(ArchiveCompression compression)
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        RichTree.Fill(tree);
        string file = Path.Combine(fixture.Scratch, "built.aci");

        ImageId id = await AciWriter.BuildAsync(Manifest, tree, file, new AciBuildOptions { Compression = compression });

        string expected = ImageFixture.Describe(tree);
        Assert.Contains("user.note=0061FF3D0A", expected, StringComparison.Ordinal);
        Assert.Contains("security.capability=01", expected, StringComparison.Ordinal);
        StoredImage image = await fixture.Store.ImportAsync(file, ImageFixture.Insecure(o => o.ExpectedId = id));
        Assert.Equal(id, image.Id);
        Assert.Equal(expected, ImageFixture.Describe(image.TreePath!));
        string reference = fixture.NewDirectory();
        ImageFixture.Shell($"tar -C '{reference}' -xpf '{file}' --xattrs --xattrs-include='*' --numeric-owner");
        Assert.Equal(expected, ImageFixture.Describe(Path.Combine(reference, "rootfs")));
        ImageFixture.Shell($"test \"$(tar -tf '{file}' | head -1)\" = manifest");
    }

    [Fact]
    public async Task The_same_tree_gives_the_same_bytes_wherever_and_whenever_it_lies()
    {
        using ImageFixture fixture = new();
        string first = fixture.NewDirectory();
        RichTree.Fill(first);
        string second = fixture.NewDirectory();
        ImageFixture.Shell($"cp -a '{first}/.' '{second}/' && find '{second}' -depth -exec touch -h {{}} + && find '{second}' -exec chown -h 7:7 {{}} + && cd '{second}' && chmod 6755 usr/bin/su && chmod 2750 deep");
        ImageFixture.SetAttribute(Path.Combine(second, "usr/bin/large"), "security.capability", RichTree.Capability);
        AciBuildOptions options = new() { OwnerRoot = true, FixedTime = DateTimeOffset.FromUnixTimeSeconds(1_500_000_000) };

        ImageId a = await AciWriter.BuildAsync(Manifest, first, Path.Combine(fixture.Scratch, "a.aci"), options);
        ImageId b = await AciWriter.BuildAsync(Manifest, second, Path.Combine(fixture.Scratch, "b.aci"), options);

        Assert.Equal(a, b);
        Assert.Equal(File.ReadAllBytes(Path.Combine(fixture.Scratch, "a.aci")), File.ReadAllBytes(Path.Combine(fixture.Scratch, "b.aci")));
    }

    [Fact]
    public async Task Plain_trees_need_no_extended_headers()
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{tree}' && mkdir -p {new string('d', 90)}/{new string('e', 60)} && printf x > {new string('d', 90)}/{new string('e', 60)}/f && find . -exec touch -d @1000000000 {{}} +");
        string file = Path.Combine(fixture.Scratch, "plain.aci");

        await AciWriter.BuildAsync(Manifest, tree, file, new AciBuildOptions { Compression = ArchiveCompression.None });

        // manifest (header and a block), rootfs, two directories, a file (header and a block), two blocks at the end.
        Assert.Equal(512 * 9, new FileInfo(file).Length);
    }

    [Fact]
    public async Task An_existing_file_is_kept_unless_it_may_be_replaced()
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        string file = Path.Combine(fixture.Scratch, "there.aci");
        File.WriteAllText(file, "precious");

        await Assert.ThrowsAsync<ImageException>(() => AciWriter.BuildAsync(Manifest, tree, file));
        Assert.Equal("precious", File.ReadAllText(file));

        await AciWriter.BuildAsync(Manifest, tree, file, new AciBuildOptions { Overwrite = true });
        await using FileStream stream = File.OpenRead(file);
        Assert.Equal("example.com/built", (await AciValidator.ValidateAsync(stream)).Manifest.Name.ToString());
    }

    [Theory]
    [InlineData(true, "socket")]
    [InlineData(false, "0:0")]
    public async Task What_no_image_may_hold_is_refused_by_name_and_leaves_no_file(bool socket, string said)
    {
        using ImageFixture fixture = new();
        string tree = fixture.NewDirectory();
        using Socket bound = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (socket)
        {
            bound.Bind(new UnixDomainSocketEndPoint(Path.Combine(tree, "s")));
        }
        else
        {
            ImageFixture.Shell($"mknod '{tree}/s' c 0 0");
        }

        string file = Path.Combine(fixture.Scratch, "refused.aci");

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => AciWriter.BuildAsync(Manifest, tree, file));

        Assert.Contains("rootfs/s", e.Message, StringComparison.Ordinal);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(fixture.Scratch, "*refused*"));
    }
}
