using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Appc.Conformance.Tests.Cli;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Conformance.Tests.Images;

/// <summary>A reader in Python, written by what docs/images.md says, knows of a store what the library knows.</summary>
public sealed class ForeignReaderTests : IDisposable
{
    private static readonly string Reader = Path.Combine(AppContext.BaseDirectory, "Images", "read_store.py");

    private readonly string _scratch = Directory.CreateTempSubdirectory("appc-foreign-").FullName;
    private readonly ImageStore _store;

    public ForeignReaderTests() => _store = new ImageStore(Root);

    private string Root => Path.Combine(_scratch, "root");

    public void Dispose() => TreeRemover.Remove(_scratch);

    [Fact]
    public async Task It_lists_images_with_names_labels_last_uses_and_tree_digests()
    {
        Assert.Equal("", await ReadAsync("list"));
        StoredImage rich = await ImportAsync("example.com/rich", """ "labels":[{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"}], """);
        await ImportAsync("example.com/plain", "");
        await _store.GetLayersAsync(rich.Id);
        File.WriteAllText(Path.Combine(Root, "images", "unknown"), "x");

        Dictionary<string, JsonElement> read = (await ReadAsync("list")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement).ToDictionary(e => e.GetProperty("id").GetString()!);

        IReadOnlyList<StoredImage> images = await _store.ListAsync();
        Assert.Equal(2, images.Count);
        Assert.Equal(images.Select(i => i.Id.ToString()).Order(), read.Keys.Order());
        foreach (StoredImage image in images)
        {
            JsonElement seen = read[image.Id.ToString()];
            Assert.Equal(image.Manifest.Name.ToString(), seen.GetProperty("name").GetString());
            Assert.Equal(
                image.Manifest.Labels.Select(l => $"{l.Name}={l.Value}"),
                seen.GetProperty("labels").EnumerateObject().Select(l => $"{l.Name}={l.Value.GetString()}"));
            Assert.Equal((image.LastUsed - DateTimeOffset.UnixEpoch).Ticks, seen.GetProperty("lastUsed").GetInt64() / 100);
            Assert.Equal(await _store.GetTreeDigestAsync(image.Id), seen.GetProperty("treeDigest").GetString());
        }
    }

    [Fact]
    public async Task It_resolves_prefixes_and_refuses_a_newer_store()
    {
        StoredImage image = await ImportAsync("example.com/app", "");

        Assert.Equal(image.Id.ToString(), (await ReadAsync("resolve", image.Id.ToString()[..11])).Trim());
        Assert.Equal(image.Id, (await _store.ResolveAsync(image.Id.ToString()[..11])).Id);
        File.WriteAllText(Path.Combine(Root, "version"), "2\n");
        Outcome refused = await Programs.RunAsync("python3", Reader, Root, "list");
        Assert.Equal(1, refused.ExitCode);
        Assert.Throws<ImageException>(() => new ImageStore(Root));
    }

    [Fact]
    public async Task What_it_holds_is_not_removed()
    {
        StoredImage image = await ImportAsync("example.com/app", "");
        using Process holder = Programs.Start("python3", [Reader, Root, "hold", image.Id.ToString()], input: true);
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => _store.RemoveAsync(image.Id));
        Assert.Equal(ImageFailure.InUse, e.Failure);
        ImageCollectReport report = await _store.CollectAsync(new ImageCollectOptions { GracePeriod = TimeSpan.Zero });
        Assert.Equal(ImageKeepReason.Held, Assert.Single(report.Kept).Reason);

        holder.StandardInput.Close();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        await _store.RemoveAsync(image.Id);
        Assert.Equal(1, (await Programs.RunAsync("python3", Reader, Root, "hold", image.Id.ToString())).ExitCode);
    }

    [Fact]
    public async Task It_knows_what_a_rendered_tree_was_made_of()
    {
        StoredImage @base = await ImportAsync("example.com/base", "");
        StoredImage top = await ImportAsync("example.com/top", """ "dependencies":[{"imageName":"example.com/base"}],"pathWhitelist":["/file"], """);
        string rendered = Assert.Single(await _store.GetLayersAsync(top.Id));

        JsonElement tree = JsonDocument.Parse(await ReadAsync("trees")).RootElement;

        Assert.Equal(top.Id.ToString(), tree.GetProperty("image").GetString());
        Assert.Equal(Path.GetFileName(rendered), tree.GetProperty("key").GetString());
        Assert.Equal([top.Id.ToString(), @base.Id.ToString()], tree.GetProperty("images").EnumerateArray().Select(i => i.GetString()));
    }

    private async Task<StoredImage> ImportAsync(string name, string extra)
    {
        string rootfs = Directory.CreateDirectory(Path.Combine(_scratch, "rootfs")).FullName;
        await Programs.MustAsync("/bin/sh", "-c", $$"""
            cd '{{rootfs}}' && rm -rf ./* && mkdir -p a-b a/c && echo '{{name}}' > file && ln file a/linked && ln -s ../file a/soft && ln a/soft a/soft-too
            mkfifo pipe; mknod null c 1 3; mknod disk b 8 17; chmod 6755 file; chown 1234:4294967294 a; chmod 1777 a-b
            truncate -s 100000 holes; touch -d '1969-12-31 23:59:58.25' file; touch -h -d '2001-02-03 04:05:06.123456789' a/soft
            setfattr -n user.note -v 0x00ff0a file; setfattr -n user.a -v b file; setfattr -n user.d -v '' a; setcap cap_net_raw+ep holes
            printf x > "$(printf 'odd-\377-name')"
            """);
        string archive = Path.Combine(_scratch, Guid.NewGuid().ToString("N") + ".aci");
        ImageManifest manifest = ImageManifest.Parse($$"""{"acKind":"ImageManifest","acVersion":"0.8.11",{{extra}}"name":"{{name}}"}""");
        await AciWriter.BuildAsync(manifest, rootfs, archive);
        return await _store.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
    }

    private Task<string> ReadAsync(params string[] arguments) => Programs.MustAsync("python3", [Reader, Root, .. arguments]);
}
