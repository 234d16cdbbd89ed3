using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Verifying, rendering, extracting and collecting stored images.</summary>
public sealed class ImageStoreCommandTests(Materials materials)
{
    [Fact]
    public async Task Verify_tells_each_change_and_ends_with_1()
    {
        await using var world = new World(materials);
        string hello = await world.StoreAsync("example.com/hello");
        string other = await world.StoreAsync("example.com/other");
        Outcome good = await world.AppcAsync("image", "verify");
        Assert.Equal(0, good.ExitCode);
        Assert.Equal(2, good.Output.TrimEnd('\n').Split('\n').Length);
        Assert.Contains($"{hello}: good: signed by ", good.Output, StringComparison.Ordinal);

        string tree = Path.Combine(world.Root, "images", hello, "rootfs");
        await File.AppendAllTextAsync(Path.Combine(tree, "etc/passwd"), "x:x:0:0::/:\n");
        File.WriteAllText(Path.Combine(tree, "etc/\u001b[31mred"), "");

        Outcome bad = await world.AppcAsync("image", "verify", "example.com/hello");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("example.com/hello: not good: tree /etc/passwd: ", bad.Output, StringComparison.Ordinal);
        Assert.Contains(@"tree /etc/\x1b[31mred: is not in the archive", bad.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', bad.Output);
        Assert.Equal(0, (await world.AppcAsync("image", "verify", other)).ExitCode);
        Assert.Equal(1, (await world.AppcAsync("image", "verify")).ExitCode);

        Outcome json = await world.AppcAsync("--format", "json", "image", "verify");
        Assert.Equal(1, json.ExitCode);
        using JsonDocument document = JsonDocument.Parse(json.Output);
        JsonElement[] images = [.. document.RootElement.EnumerateArray()];
        Assert.Equal([hello, other], images.Select(i => i.GetProperty("id").GetString()).OrderBy(i => i == other));
        JsonElement damaged = images.Single(i => !i.GetProperty("good").GetBoolean());
        Assert.Equal(hello, damaged.GetProperty("id").GetString());
        Assert.StartsWith("sha256-", damaged.GetProperty("treeDigest").GetString(), StringComparison.Ordinal);
        Assert.All(damaged.GetProperty("findings").EnumerateArray(), f => Assert.Equal("tree", f.GetProperty("part").GetString()));
    }

    [Fact]
    public async Task Verify_finds_a_removed_archive_and_a_damaged_image_by_its_id()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string directory = Path.Combine(world.Root, "images", id);

        File.Delete(Path.Combine(directory, "image.aci"));
        Outcome outcome = await world.AppcAsync("image", "verify", id);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("archive: is missing", outcome.Output, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(directory, "manifest"), "{");
        Assert.Equal(1, (await world.AppcAsync("image", "verify", id)).ExitCode);
        await world.RefusedAsync("image", "verify", "sha512-" + new string('0', 128));
        await world.MustAsync("image", "rm", id);
    }

    [Fact]
    public async Task Verify_without_trust_looks_at_the_bytes_only()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        await world.MustAsync("--insecure-options", "image", "fetch", image);

        Assert.Equal(1, (await world.AppcAsync("image", "verify", "example.com/hello")).ExitCode);
        Outcome outcome = await world.AppcAsync("--insecure-options", "image", "image", "verify", "example.com/hello");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("good: signature not checked", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_writes_image_and_dependencies_and_extract_its_own_files()
    {
        await using var world = new World(materials);
        await world.StoreAsync("example.com/base");
        string rootfs = Directory.CreateDirectory(world.File_("top")).FullName;
        await File.WriteAllTextAsync(Path.Combine(rootfs, "own"), "1");
        string top = await world.MustAsync("fetch", await world.BuildAsync("example.com/top", rootfs: rootfs, extra: """ "dependencies":[{"imageName":"example.com/base"}], """));

        await world.MustAsync("image", "render", top, world.File_("rendered"));
        await world.MustAsync("image", "extract", "example.com/top", world.File_("extracted"));

        Assert.True(File.Exists(world.File_("rendered/bin/busybox")));
        Assert.True(File.Exists(world.File_("rendered/own")));
        Assert.Equal(["own"], Directory.GetFileSystemEntries(world.File_("extracted")).Select(Path.GetFileName));
        Assert.Contains("rendered", await world.RefusedAsync("image", "render", top, world.File_("rendered")), StringComparison.Ordinal);
        Assert.Equal(2, (await world.AppcAsync("image", "render", top)).ExitCode);
        await world.RefusedAsync("image", "rm", "example.com/base");
    }

    [Fact]
    public async Task Gc_takes_what_nothing_uses_and_leaves_what_a_pod_does()
    {
        await using var world = new World(materials);
        string idle = await world.StoreAsync("example.com/idle");
        string used = await world.StoreAsync("example.com/used");
        await world.MustAsync("prepare", "--stage1", "fly", used);
        DateTimeOffset prepared = (await world.JsonAsync("image", "show", used)).GetProperty("lastUsed").GetDateTimeOffset();
        Assert.True(prepared > (await world.JsonAsync("image", "show", idle)).GetProperty("lastUsed").GetDateTimeOffset());
        Assert.Contains("last used: ", await world.MustAsync("image", "show", used), StringComparison.Ordinal);

        Assert.Equal("", await world.MustAsync("image", "gc"));
        Assert.Contains($"would remove {idle} example.com/idle", await world.MustAsync("image", "gc", "--grace-period", "0", "--dry-run"), StringComparison.Ordinal);
        JsonElement report = await world.JsonAsync("image", "gc", "--grace-period", "0s");

        Assert.Equal([idle], report.GetProperty("removed").EnumerateArray().Select(r => r.GetProperty("id").GetString()));
        JsonElement kept = Assert.Single(report.GetProperty("kept").EnumerateArray());
        Assert.Equal((used, "inUse"), (kept.GetProperty("id").GetString(), kept.GetProperty("reason").GetString()));
        Assert.True(report.GetProperty("bytesFreed").GetInt64() > 0);
        Assert.Equal([used], (await world.JsonAsync("image", "list")).EnumerateArray().Select(i => i.GetProperty("id").GetString()));
        Assert.Contains("pod ", await world.RefusedAsync("image", "rm", used), StringComparison.Ordinal);

        await world.MustAsync("gc", "--expire-prepared", "0", "--grace-period", "0");
        Assert.Equal($"removed {used} example.com/used", await world.MustAsync("image", "gc", "--grace-period", "0"));
        await world.AssertEmptyAsync();
    }
}
