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

    [Theory]
    [InlineData(ImportPhase.Verifying)]
    [InlineData(ImportPhase.Extracting)]
    [InlineData(ImportPhase.Publishing)]
    public async Task A_cancelled_import_leaves_nothing(ImportPhase phase)
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/large", root => ImageFixture.Shell($"head -c 20000000 /dev/urandom > '{root}/data'"), compress: "cat");
        using CancellationTokenSource cancellation = new();
        List<ImportPhase> phases = [];
        InlineProgress progress = new(p =>
        {
            lock (phases)
            {
                phases.Add(p.Phase);
            }

            if (p.Phase == phase && (p.Bytes > 0 || phase == ImportPhase.Publishing))
            {
                cancellation.Cancel();
            }
        });

        Task<StoredImage> import = fixture.Store.ImportAsync(archive, ImageFixture.Insecure(), progress, cancellation.Token);

        if (phase == ImportPhase.Publishing)
        {
            // Too late: the image is whole, and it is published.
            await import;
            Assert.Single(await fixture.Store.ListAsync());
        }
        else
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);
            Assert.Empty(await fixture.Store.ListAsync());
        }

        Assert.Equal(phases.Order(), phases);
        Assert.Contains(phase, phases);
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Many_imports_of_one_image_at_once_end_in_one_image()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/hello", root => ImageFixture.Shell($"head -c 1000000 /dev/urandom > '{root}/data'"));

        StoredImage[] images = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => fixture.Store.ImportAsync(archive, ImageFixture.Insecure())));

        Assert.Single(images.Select(i => i.Id).Distinct());
        Assert.Single(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }

    [Theory]
    [InlineData("nothing", "no such file")]
    [InlineData("directory", "directory")]
    [InlineData("pipe", "regular file")]
    public async Task What_is_no_file_is_refused_at_once(string kind, string said)
    {
        using ImageFixture fixture = new();
        string path = Path.Combine(fixture.Scratch, "thing.aci");
        ImageFixture.Shell(kind switch { "directory" => $"mkdir '{path}'", "pipe" => $"mkfifo '{path}'", _ => "true" });

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ImportAsync(path, ImageFixture.Insecure()));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    private sealed class InlineProgress(Action<ImportProgress> report) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => report(value);
    }
}
