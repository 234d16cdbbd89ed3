using Appc.Images;
using Appc.Manifests;
using Microsoft.Extensions.Time.Testing;

namespace Appc.Core.Tests.Images;

public sealed class ImageStoreCollectTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2024, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private readonly ImageFixture _fixture = new();
    private readonly FakeTimeProvider _clock = new(Start);

    public ImageStoreCollectTests() => _fixture.Options.TimeProvider = _clock;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Uses_are_remembered_and_looking_is_none()
    {
        StoredImage image = await ImportAsync("example.com/app");
        Assert.Equal(Start, image.LastUsed);
        string archive = Path.Combine(_fixture.Scratch, "again.aci");

        await UseAsync("export", () => _fixture.Store.ExportAsync(image.Id, archive));
        await UseAsync("layers", () => _fixture.Store.GetLayersAsync(image.Id));
        await UseAsync("hold", async () => (await _fixture.Store.HoldAsync(image.Id)).Dispose());
        await UseAsync("import", () => _fixture.Store.ImportAsync(archive, ImageFixture.Insecure()));

        DateTimeOffset before = (await _fixture.Store.GetAsync(image.Id)).LastUsed;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await _fixture.Store.VerifyAllAsync();
        await _fixture.Store.GetTreeDigestAsync(image.Id);
        await _fixture.Store.ResolveAsync("example.com/app");
        Assert.Equal(before, Assert.Single(await _fixture.Store.ListAsync()).LastUsed);
        Assert.Equal(before, Assert.Single(await new ImageStore(_fixture.Root).ListAsync()).LastUsed);
        Assert.Equal(
            before.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ImageFixture.Shell($"stat -c %Y '{Path.GetDirectoryName(image.ArchivePath)}/provenance.json'").Trim());

        async Task UseAsync(string what, Func<Task> use)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            await use();
            DateTimeOffset used = (await _fixture.Store.GetAsync(image.Id)).LastUsed;
            Assert.True(_clock.GetUtcNow() == used, $"{what}: {used:o}");
        }
    }

    [Fact]
    public async Task Rendering_uses_every_image_that_takes_part()
    {
        StoredImage @base = await ImportAsync("example.com/base");
        StoredImage top = await ImportAsync("example.com/top", """ "dependencies":[{"imageName":"example.com/base"}] """);
        _clock.Advance(TimeSpan.FromHours(1));

        await _fixture.Store.GetLayersAsync(top.Id);

        Assert.All(await _fixture.Store.ListAsync(), i => Assert.Equal(_clock.GetUtcNow(), i.LastUsed));
        Assert.NotEqual(@base.Id, top.Id);
    }

    [Fact]
    public async Task What_was_not_used_for_long_goes_dependents_first()
    {
        StoredImage bottom = await ImportAsync("example.com/bottom", fill: root => ImageFixture.Shell($"head -c 3000000 /dev/urandom > '{root}/f'"));
        StoredImage middle = await ImportAsync("example.com/middle", """ "dependencies":[{"imageName":"example.com/bottom"}] """);
        StoredImage top = await ImportAsync("example.com/top", """ "dependencies":[{"imageName":"example.com/middle"}],"pathWhitelist":["/f"] """);
        await _fixture.Store.GetLayersAsync(top.Id);
        _clock.Advance(TimeSpan.FromHours(23));
        StoredImage young = await ImportAsync("example.com/young");
        _clock.Advance(TimeSpan.FromHours(1));

        ImageCollectReport dry = await _fixture.Store.CollectAsync(new ImageCollectOptions { DryRun = true });
        Assert.Equal([top.Id, middle.Id, bottom.Id], dry.Removed.Select(r => r.Id));
        Assert.Equal(4, (await _fixture.Store.ListAsync()).Count);

        long freeBefore = Used();
        ImageCollectReport report = await _fixture.Store.CollectAsync();
        long freed = freeBefore - Used();

        Assert.Equal([top.Id, middle.Id, bottom.Id], report.Removed.Select(r => r.Id));
        Assert.All(report.Removed, r => Assert.Equal(Start, r.LastUsed));
        KeptImage kept = Assert.Single(report.Kept);
        Assert.Equal((young.Id, ImageKeepReason.UsedLately), (kept.Id, kept.Reason));
        Assert.Equal(young.Id, Assert.Single(await _fixture.Store.ListAsync()).Id);
        Assert.Empty(report.Failures);
        Assert.Equal(freed, report.BytesFreed);
        Assert.True(report.BytesFreed > 6_000_000);
        Assert.Empty(_fixture.Leftovers());
    }

    [Fact]
    public async Task What_a_pod_another_image_or_another_process_uses_stays_and_so_does_what_that_depends_on()
    {
        StoredImage @base = await ImportAsync("example.com/base");
        StoredImage old = await ImportAsync("example.com/lib", """ "labels":[{"name":"version","value":"1.0.0"}] """);
        StoredImage lib = await ImportAsync("example.com/lib", """ "labels":[{"name":"version","value":"2.0.0"}],"dependencies":[{"imageName":"example.com/base"}] """);
        StoredImage pod = await ImportAsync("example.com/pod", """ "dependencies":[{"imageName":"example.com/lib"}] """);
        StoredImage held = await ImportAsync("example.com/held", """ "dependencies":[{"imageName":"example.com/heldbase"}] """);
        StoredImage heldBase = await ImportAsync("example.com/heldbase");
        StoredImage damaged = await ImportAsync("example.com/damaged");
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(damaged.ArchivePath)!, "manifest"), "{");
        _fixture.Options.FindUser = id => id == pod.Id ? "pod 1234" : null;
        _clock.Advance(TimeSpan.FromDays(3));
        using System.Diagnostics.Process other = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("flock", ["--shared", Path.GetDirectoryName(held.ArchivePath)!, "sh", "-c", "echo locked; cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal("locked", await other.StandardOutput.ReadLineAsync());
        try
        {
            ImageCollectReport report = await _fixture.Store.CollectAsync();

            Assert.Equal([old.Id], report.Removed.Select(r => r.Id));
            Dictionary<ImageId, KeptImage> kept = report.Kept.ToDictionary(k => k.Id);
            Assert.Equal(ImageKeepReason.InUse, kept[pod.Id].Reason);
            Assert.Contains("pod 1234", kept[pod.Id].Detail, StringComparison.Ordinal);
            Assert.Equal(ImageKeepReason.Dependency, kept[lib.Id].Reason);
            Assert.Equal(ImageKeepReason.Dependency, kept[@base.Id].Reason);
            Assert.Equal(ImageKeepReason.Held, kept[held.Id].Reason);
            Assert.Equal(ImageKeepReason.Dependency, kept[heldBase.Id].Reason);
            Assert.Equal(ImageKeepReason.Damaged, kept[damaged.Id].Reason);

            ImageException e = await Assert.ThrowsAsync<ImageException>(() => _fixture.Store.RemoveAsync(held.Id));
            Assert.Equal(ImageFailure.InUse, e.Failure);
            Assert.Contains("another process", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            other.StandardInput.Close();
            await other.WaitForExitAsync();
        }

        _fixture.Options.FindUser = null;
        Assert.Equal(5, (await _fixture.Store.CollectAsync()).Removed.Count);
    }

    [Fact]
    public async Task Rendered_trees_go_when_they_were_not_used_for_long()
    {
        await ImportAsync("example.com/base", fill: root => File.WriteAllText(Path.Combine(root, "f"), "1"));
        StoredImage top = await ImportAsync("example.com/top", """ "dependencies":[{"imageName":"example.com/base"}],"pathWhitelist":["/f","/g"] """);
        string first = Assert.Single(await _fixture.Store.GetLayersAsync(top.Id));
        _clock.Advance(TimeSpan.FromHours(20));
        await ImportAsync("example.com/base", """ "labels":[{"name":"version","value":"2.0.0"}] """, root => File.WriteAllText(Path.Combine(root, "g"), "2"));
        string second = Assert.Single(await _fixture.Store.GetLayersAsync(top.Id));
        _clock.Advance(TimeSpan.FromHours(20));
        (await _fixture.Store.HoldAsync(top.Id)).Dispose();

        _fixture.Options.FindUser = _ => "pod 1234";
        Assert.Empty((await _fixture.Store.CollectAsync()).RenderedTrees);
        _fixture.Options.FindUser = null;
        ImageCollectReport report = await _fixture.Store.CollectAsync();

        Assert.Equal([Path.GetRelativePath(_fixture.Root, first)], report.RenderedTrees);
        Assert.False(Directory.Exists(first));
        Assert.False(File.Exists(first + ".images"));
        Assert.True(Directory.Exists(second));
        Assert.True(report.BytesFreed > 0);
        Assert.Equal([second], await _fixture.Store.GetLayersAsync(top.Id));
        Assert.Empty(_fixture.Leftovers());
    }

    [Fact]
    public async Task Leftovers_of_interrupted_calls_go_and_what_is_worked_on_stays()
    {
        await ImportAsync("example.com/app");
        string left = Directory.CreateDirectory(Path.Combine(_fixture.Root, "tmp", "left")).FullName;
        File.WriteAllBytes(Path.Combine(left, "f"), new byte[100_000]);
        string living = _fixture.Store.CreateTemporaryDirectory(out IDisposable holder);
        using (holder)
        {
            Assert.Equal(1, (await _fixture.Store.CollectAsync(new ImageCollectOptions { DryRun = true })).Leftovers);
            Assert.True(Directory.Exists(left));
            ImageCollectReport report = await _fixture.Store.CollectAsync();
            Assert.Equal(1, report.Leftovers);
            Assert.True(report.BytesFreed >= 100_000);
            Assert.Equal([living], _fixture.Leftovers());
        }
    }

    [Fact]
    public async Task Images_in_a_circle_can_be_removed_and_collected()
    {
        StoredImage one = await ImportAsync("example.com/one", """ "dependencies":[{"imageName":"example.com/two"}] """);
        await ImportAsync("example.com/two", """ "dependencies":[{"imageName":"example.com/one"}] """);
        StoredImage self = await ImportAsync("example.com/self", """ "dependencies":[{"imageName":"example.com/self"}] """);

        await _fixture.Store.RemoveAsync(one.Id);
        await _fixture.Store.ImportAsync(_fixture.Pack("example.com/one", _ => { }, """ "dependencies":[{"imageName":"example.com/two"}] """), ImageFixture.Insecure());
        ImageCollectReport report = await _fixture.Store.CollectAsync(new ImageCollectOptions { GracePeriod = TimeSpan.Zero });

        Assert.Equal(3, report.Removed.Count);
        Assert.Contains(report.Removed, r => r.Id == self.Id);
        Assert.Empty(await _fixture.Store.ListAsync());
    }

    private Task<StoredImage> ImportAsync(string name, string extra = "", Action<string>? fill = null) =>
        _fixture.Store.ImportAsync(_fixture.Pack(name, fill ?? (_ => { }), extra), ImageFixture.Insecure());

    private long Used() => ImageFixture.Shell($"find '{_fixture.Root}/images' -mindepth 1 -printf '%i %b\\n' | sort -u")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Sum(l => long.Parse(l.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * 512);
}
