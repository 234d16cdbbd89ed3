using Appc.Images;
using Appc.Manifests;

namespace Appc.Core.Tests.Images;

public class ImageStoreLookupTests
{
    private static readonly AcIdentifier Name = AcIdentifier.Parse("example.com/app");

    [Fact]
    public async Task The_highest_version_is_found_when_none_is_asked_for()
    {
        using ImageFixture fixture = new();
        foreach (string version in (string[])["1.10.0", "1.9.0", "2.0.0-rc.1", "1.10.0-beta"])
        {
            await Import(fixture, Label("version", version));
        }

        Assert.Equal("2.0.0-rc.1", (await fixture.Store.FindAsync(Name))!.Manifest.GetLabel("version"));
        Assert.Equal("1.9.0", (await fixture.Store.ResolveAsync("example.com/app:1.9.0")).Manifest.GetLabel("version"));
        Assert.Null(await fixture.Store.FindAsync(Name, [new Label("version", "3.0.0")]));
        Assert.Null(await fixture.Store.FindAsync(AcIdentifier.Parse("example.com/other")));
    }

    [Fact]
    public async Task Every_label_asked_for_must_be_there_and_others_may_be()
    {
        using ImageFixture fixture = new();
        await Import(fixture, Label("os", "linux"), Label("arch", "amd64"));

        Assert.NotNull(await fixture.Store.FindAsync(Name, [new Label("os", "linux")]));
        Assert.Null(await fixture.Store.FindAsync(Name, [new Label("os", "linux"), new Label("version", "1.0.0")]));
        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ResolveAsync("example.com/app,os=freebsd"));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
    }

    [Fact]
    public async Task Prefixes_of_ids_must_be_unique_and_long_enough()
    {
        using ImageFixture fixture = new();
        List<StoredImage> images = [];
        while (images.Count < 2 || !images.Any(i => images.Exists(j => j.Id != i.Id && j.Id.ToString()[..9] == i.Id.ToString()[..9])))
        {
            images.Add(await Import(fixture, Label("version", $"1.0.{images.Count}")));
            Assert.InRange(images.Count, 0, 257);
        }

        StoredImage twin = images.First(i => images.Exists(j => j.Id != i.Id && j.Id.ToString()[..9] == i.Id.ToString()[..9]));
        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ResolveAsync(twin.Id.ToString()[..9]));
        Assert.Equal(ImageFailure.Ambiguous, e.Failure);
        Assert.Equal(twin.Id, (await fixture.Store.ResolveAsync(twin.Id.ToString()[..40])).Id);
        e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ResolveAsync("sha512-a"));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
        Assert.Contains("at least 2", e.Hint, StringComparison.Ordinal);
        IReadOnlyList<StoredImage> list = await fixture.Store.ListAsync();
        Assert.Equal(images.Count, list.Count);
        Assert.Equal(list.Select(i => i.Provenance.Imported).OrderDescending(), list.Select(i => i.Provenance.Imported));
    }

    [Fact]
    public async Task What_others_need_is_not_removed()
    {
        using ImageFixture fixture = new();
        StoredImage @base = await fixture.Store.ImportAsync(fixture.Pack("example.com/base", _ => { }), ImageFixture.Insecure());
        StoredImage top = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/top", _ => { }, """ "dependencies":[{"imageName":"example.com/base"}] """), ImageFixture.Insecure());
        Assert.Equal([@base.TreePath!, top.TreePath!], await fixture.Store.GetLayersAsync(top.Id));

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.RemoveAsync(@base.Id));
        Assert.Equal(ImageFailure.InUse, e.Failure);
        Assert.Contains("example.com/top", e.Message, StringComparison.Ordinal);

        fixture.Options.FindUser = id => id == top.Id ? "pod 1234" : null;
        e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.RemoveAsync(top.Id));
        Assert.Contains("pod 1234", e.Message, StringComparison.Ordinal);
        fixture.Options.FindUser = null;
        await fixture.Store.RemoveAsync(top.Id);
        await fixture.Store.RemoveAsync(@base.Id);
        e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.RemoveAsync(@base.Id));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task The_deepest_tree_is_built_imported_rendered_and_removed()
    {
        using ImageFixture fixture = new();
        string path = string.Join('/', Enumerable.Repeat("d", 2000));
        string tree = fixture.NewDirectory();
        ImageFixture.Shell($"cd '{tree}' && mkdir -p {path} && echo x > {path}/f && touch other");
        string file = Path.Combine(fixture.Scratch, "deep.aci");
        ImageManifest manifest = ImageManifest.Parse(ImageFixture.Manifest("example.com/deep", $"\"pathWhitelist\":[\"/{path}/f\"]"));

        ImageId id = await AciWriter.BuildAsync(manifest, tree, file);
        await fixture.Store.ImportAsync(file, ImageFixture.Insecure());
        string rendered = Assert.Single(await fixture.Store.GetLayersAsync(id));

        Assert.Equal("x\n", ImageFixture.Shell($"cd '{rendered}' && cat {path}/f"));
        Assert.False(File.Exists(Path.Combine(rendered, "other")));
        await fixture.Store.RemoveAsync(id);
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public void A_data_directory_of_a_newer_version_is_left_alone()
    {
        using ImageFixture fixture = new();
        Directory.CreateDirectory(fixture.Root);
        File.WriteAllText(Path.Combine(fixture.Root, "version"), "2\n");

        ImageException e = Assert.Throws<ImageException>(() => new ImageStore(fixture.Root));

        Assert.Equal(ImageFailure.Storage, e.Failure);
        Assert.Contains("version '2'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_image_does_not_hide_the_others()
    {
        using ImageFixture fixture = new();
        StoredImage good = await Import(fixture, Label("version", "1.0.0"));
        StoredImage bad = await Import(fixture, Label("version", "2.0.0"));
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(bad.ArchivePath)!, "provenance.json"), "{");

        Assert.Equal(good.Id, Assert.Single(await fixture.Store.ListAsync()).Id);
        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.GetAsync(bad.Id));
        Assert.Equal(ImageFailure.Storage, e.Failure);
        Assert.Equal(bad.Id, await fixture.Store.ResolveIdAsync(bad.Id.ToString()));
        Assert.Equal(bad.Id, await fixture.Store.ResolveIdAsync(bad.Id.ToString()[..40]));
        Assert.Equal(good.Id, await fixture.Store.ResolveIdAsync("example.com/app"));
        await fixture.Store.RemoveAsync(bad.Id);
        e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ResolveIdAsync(bad.Id.ToString()));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
    }

    private static string Label(string name, string value) => $$"""{"name":"{{name}}","value":"{{value}}"}""";

    private static Task<StoredImage> Import(ImageFixture fixture, params string[] labels) => fixture.Store.ImportAsync(
        fixture.Pack("example.com/app", _ => { }, $"\"labels\":[{string.Join(',', labels)}]", compress: "cat"), ImageFixture.Insecure());
}
