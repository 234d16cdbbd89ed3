using Appc.Images;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Core.Tests.Images;

public class ImageStoreTrustTests
{
    private static readonly Action<string> Content = root => File.WriteAllText(Path.Combine(root, "f"), "content");

    [Fact]
    public async Task A_signed_image_is_checked_before_a_byte_is_decompressed_and_remembers_its_signer()
    {
        StubVerifier verifier = new();
        using ImageFixture fixture = new(verifier);
        string archive = fixture.Pack("example.com/app", root => ImageFixture.Shell($"head -c 9000000 /dev/urandom > '{root}/data'"));
        StubVerifier.Sign(archive, "example.com");
        verifier.OnComplete = () =>
        {
            string work = Assert.Single(fixture.Leftovers());
            Assert.Equal(["image.aci"], Directory.GetFileSystemEntries(work).Select(Path.GetFileName));
        };

        StoredImage image = await fixture.Store.ImportAsync(archive);

        Assert.Equal(1, verifier.Checks);
        Assert.False(image.Provenance.Insecure);
        Assert.Equal("ab12", image.Provenance.Signer!.Fingerprint);
        Assert.Equal(["example.com"], image.Provenance.Signer.Scopes);
        string copy = Path.Combine(fixture.Scratch, "export.aci");
        await fixture.Store.ExportAsync(image.Id, copy);
        Assert.Equal(File.ReadAllBytes(archive), File.ReadAllBytes(copy));
        Assert.Equal(File.ReadAllBytes(archive + ".asc"), File.ReadAllBytes(copy + ".asc"));
        await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ExportAsync(image.Id, copy));
    }

    [Fact]
    public async Task A_changed_byte_is_refused()
    {
        using ImageFixture fixture = new(new StubVerifier());
        string archive = fixture.Pack("example.com/app", Content);
        StubVerifier.Sign(archive, "example.com");
        byte[] bytes = File.ReadAllBytes(archive);
        bytes[^1] ^= 1;
        File.WriteAllBytes(archive, bytes);

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => fixture.Store.ImportAsync(archive));

        Assert.Equal(TrustFailure.BadSignature, e.Failure);
        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task A_key_for_another_prefix_is_refused_with_key_scope_and_remedy()
    {
        using ImageFixture fixture = new(new StubVerifier());
        string archive = fixture.Pack("example.com/foobar", Content);
        StubVerifier.Sign(archive, "example.com/foo");

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => fixture.Store.ImportAsync(archive));

        Assert.Equal(TrustFailure.WrongPrefix, e.Failure);
        Assert.Contains("ab12", e.Message, StringComparison.Ordinal);
        Assert.Contains("example.com/foo ", e.Message, StringComparison.Ordinal);
        Assert.Contains("example.com/foobar", e.Message, StringComparison.Ordinal);
        Assert.Contains("appc trust add --prefix example.com/foobar", e.Hint, StringComparison.Ordinal);
        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Without_a_verifier_a_signed_image_is_refused_too()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/app", Content);
        StubVerifier.Sign(archive, "example.com");

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => fixture.Store.ImportAsync(archive));

        Assert.Equal(TrustFailure.NoVerifier, e.Failure);
    }

    [Fact]
    public async Task Insecure_import_is_logged_and_only_a_checked_one_makes_the_image_secure()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/app", Content);
        string recompressed = archive + ".again.aci";
        ImageFixture.Shell($"zcat '{archive}' | gzip -1 > '{recompressed}'");
        StubVerifier.Sign(recompressed, "example.com");
        LogList log = new();
        ImageStore store = new(fixture.Root, new ImageStoreOptions { Verifier = new StubVerifier(), LoggerFactory = log });

        StoredImage first = await store.ImportAsync(archive, ImageFixture.Insecure());
        Assert.True(first.Provenance.Insecure);
        Assert.Contains(log.Entries, e => e.Id == 2001 && e.Level == LogLevel.Warning && e.Text.Contains(archive, StringComparison.Ordinal));

        StoredImage second = await store.ImportAsync(recompressed);
        Assert.Equal(first.Id, second.Id);
        Assert.False(second.Provenance.Insecure);
        Assert.Equal("ab12", second.Provenance.Signer!.Fingerprint);
        Assert.Equal(File.ReadAllBytes(recompressed), File.ReadAllBytes(second.ArchivePath));

        StoredImage third = await store.ImportAsync(archive, ImageFixture.Insecure());
        Assert.False(third.Provenance.Insecure);
        Assert.Equal(File.ReadAllBytes(recompressed), File.ReadAllBytes(third.ArchivePath));
        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Another_name_label_or_id_than_asked_for_is_refused()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/app", Content, """ "labels":[{"name":"version","value":"1.0.0"}] """);

        await Refused(ImageFailure.NameMismatch, o => o.ExpectedName = AcIdentifier.Parse("example.com/other"));
        await Refused(ImageFailure.NameMismatch, o => o.ExpectedLabels.Add(new Label("version", "2.0.0")));
        await Refused(ImageFailure.NameMismatch, o => o.ExpectedLabels.Add(new Label("os", "linux")));
        await Refused(ImageFailure.HashMismatch, o => o.ExpectedId = ImageId.Parse("sha512-" + new string('0', 128)));
        Assert.Empty(await fixture.Store.ListAsync());
        Assert.Empty(fixture.Leftovers());

        async Task Refused(ImageFailure failure, Action<ImportOptions> change)
        {
            ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.ImportAsync(archive, ImageFixture.Insecure(change)));
            Assert.Equal(failure, e.Failure);
            Assert.Contains(archive, e.Message, StringComparison.Ordinal);
            Assert.NotNull(e.Hint);
        }
    }

    [Fact]
    public async Task A_download_is_moved_in_with_the_verdict_that_it_came_with()
    {
        using ImageFixture fixture = new(new StubVerifier());
        string archive = fixture.Pack("example.com/app", Content);
        StubVerifier.Sign(archive, "example.com");
        string directory = fixture.Store.CreateTemporaryDirectory(out IDisposable holder);
        string file = Path.Combine(directory, "download");
        File.Copy(archive, file);
        File.Copy(archive + ".asc", file + ".sig");
        Assert.Equal(0, await fixture.Store.CollectLeftoversAsync());
        SignatureVerdict verdict = new([new SignatureSigner("cd34", "cd34", null, DateTimeOffset.UnixEpoch, "none", [""])]);

        StoredImage image;
        using (holder)
        {
            image = await fixture.Store.ImportDownloadedAsync(file, file + ".sig", new ImportProof(verdict, null), new ImportOptions { Source = "https://example.com/app.aci", Latest = true });
            Assert.False(File.Exists(file));
        }

        Assert.Equal("cd34", image.Provenance.Signer!.Fingerprint);
        Assert.Equal("https://example.com/app.aci", image.Provenance.Source);
        Assert.True(image.Provenance.Latest);
        Assert.Empty(fixture.Leftovers());
    }

    private sealed class LogList : ILoggerFactory, ILogger
    {
        public List<(int Id, LogLevel Level, string Text)> Entries { get; } = [];

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Entries)
            {
                Entries.Add((eventId.Id, logLevel, formatter(state, exception)));
            }
        }

        public void Dispose()
        {
        }
    }
}
