using Appc.Images;
using Appc.Trust;

namespace Appc.Core.Tests.Images;

public class ImageStoreImportTests
{
    [Fact]
    public async Task An_image_can_be_imported_found_listed_and_held()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/hello", root =>
        {
            Directory.CreateDirectory(Path.Combine(root, "etc"));
            File.WriteAllText(Path.Combine(root, "etc/hello"), "hello\n");
        });

        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());

        string expected = ImageFixture.Shell($"zcat '{archive}' | sha512sum").Split(' ')[0];
        Assert.Equal("sha512-" + expected, image.Id.ToString());
        Assert.Equal("hello\n", File.ReadAllText(Path.Combine(image.TreePath!, "etc/hello")));
        Assert.True(image.Provenance.Insecure);
        Assert.Equal(File.ReadAllBytes(archive), File.ReadAllBytes(image.ArchivePath));
        Assert.Equal(image.Id, (await fixture.Store.GetAsync(image.Id)).Id);
        Assert.Equal(image.Id, (await fixture.Store.ResolveAsync("example.com/hello")).Id);
        Assert.Equal(image.Id, (await fixture.Store.ResolveAsync(image.Id.ToString()[..12])).Id);
        Assert.Equal(image.Id, Assert.Single(await fixture.Store.ListAsync()).Id);
        Assert.Equal([image.TreePath!], await fixture.Store.GetLayersAsync(image.Id));
        using (await fixture.Store.HoldAsync(image.Id))
        {
            ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.RemoveAsync(image.Id));
            Assert.Equal(ImageFailure.InUse, e.Failure);
        }

        await fixture.Store.RemoveAsync(image.Id);
        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Without_a_signature_nothing_is_imported_and_the_message_says_what_to_do()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/hello", _ => { });

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => fixture.Store.ImportAsync(archive));

        Assert.Equal(TrustFailure.Unsigned, e.Failure);
        Assert.Contains(archive, e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);
        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }
}
