using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>
/// What bad input gets: one clear line (which image, what is wrong, what to do), 254, and store and pods as
/// they were.
/// </summary>
public sealed class BadInputTests(Materials materials)
{
    [Fact]
    public async Task An_unsigned_image_is_refused()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        await world.TrustAsync();

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains(image, error, StringComparison.Ordinal);
        Assert.Contains("sign", error, StringComparison.OrdinalIgnoreCase);
        await world.AssertEmptyAsync();
        await world.RefusedAsync("run", image);
        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task A_signature_of_other_bytes_is_refused()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(version: "1.0.0");
        string other = await world.BuildAsync(version: "2.0.0");
        File.Copy(other + ".asc", image + ".asc", overwrite: true);
        await world.TrustAsync();

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains("signature", error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(Path.GetFileName(image), error, StringComparison.Ordinal);
        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task Something_that_is_no_signature_is_refused()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync();
        await File.WriteAllTextAsync(image + ".asc", "-----BEGIN PGP SIGNATURE-----\n\n\u001b[31mred\n-----END PGP SIGNATURE-----\n");
        await world.TrustAsync();

        await world.RefusedAsync("fetch", image);

        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task An_unknown_key_is_refused_and_named()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: materials.StrangerSecretKey);
        await world.TrustAsync();

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains("key", error, StringComparison.Ordinal);
        Assert.Contains("trust add", error, StringComparison.Ordinal);
        await world.AssertEmptyAsync();
    }

    [Theory]
    [InlineData("example.com/hell")]
    [InlineData("example.com/hello-there")]
    [InlineData("example.org")]
    public async Task A_key_for_another_prefix_is_refused(string prefix)
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync("example.com/hello");
        await world.TrustAsync(prefix: prefix);

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains("example.com/hello", error, StringComparison.Ordinal);
        Assert.Contains(prefix, error, StringComparison.Ordinal);
        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task A_truncated_file_is_refused()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        byte[] bytes = await File.ReadAllBytesAsync(image);
        await File.WriteAllBytesAsync(image, bytes[..(bytes.Length / 2)]);
        await world.MustAsync("sign", "--key", materials.SecretKey, image);
        await world.TrustAsync();

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains(Path.GetFileName(image), error, StringComparison.Ordinal);
        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task A_truncated_download_is_refused()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);
        await publisher.OfferAsync(await world.BuildAsync("appc.test/hello"));
        await world.TrustAsync(prefix: "appc.test");
        publisher.CutAfter = 4096;

        string error = await world.RefusedAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]);

        Assert.Contains("appc.test/", error, StringComparison.Ordinal);
        await world.AssertEmptyOfImagesAsync();
        publisher.CutAfter = null;
        Assert.StartsWith("sha512-", await world.MustAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_of_another_name_is_refused()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);
        await publisher.OfferAsync(await world.BuildAsync("appc.test/other"), "appc.test/hello");
        await world.TrustAsync(prefix: "appc.test");

        string error = await world.RefusedAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]);

        Assert.Contains("appc.test/hello", error, StringComparison.Ordinal);
        Assert.Contains("appc.test/other", error, StringComparison.Ordinal);
        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task A_hash_that_does_not_fit_is_refused()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);
        await publisher.OfferAsync(await world.BuildAsync("appc.test/base"));
        string wrong = "sha512-" + new string('a', 128);
        await publisher.OfferAsync(await world.BuildAsync(
            "appc.test/hello",
            extra: $$""" "dependencies": [{"imageName":"appc.test/base","imageID":"{{wrong}}","labels":[{"name":"version","value":"1.0.0"}]}],"""));
        await world.TrustAsync(prefix: "appc.test");

        string error = await world.RefusedAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]);

        Assert.Contains("appc.test/base", error, StringComparison.Ordinal);
        Assert.Contains(wrong[..20], error, StringComparison.Ordinal);

        // What came before had passed every check of its own.
        JsonElement only = Assert.Single((await world.JsonAsync("image", "list")).EnumerateArray());
        Assert.Equal("appc.test/hello", only.GetProperty("name").GetString());
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
    }

    [Theory]
    [InlineData("rootfs/../../evil")]
    [InlineData("/tmp/appc-evil-absolute")]
    [InlineData("rootfs/link/evil")]
    public async Task An_archive_that_tries_to_leave_its_tree_is_refused(string name)
    {
        await using var world = new World(materials);
        string image = world.File_("evil.aci");
        string outside = Directory.CreateDirectory(world.File_("outside")).FullName;
        await using (FileStream file = File.Create(image))
        await using (var gzip = new GZipStream(file, CompressionLevel.Fastest))
        await using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            await tar.WriteEntryAsync(Entry("manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/evil"}"""));
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "rootfs"));
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "rootfs/link") { LinkName = outside });
            await tar.WriteEntryAsync(Entry(name, "evil"));
        }

        await world.MustAsync("sign", "--key", materials.SecretKey, image);
        await world.TrustAsync();

        string error = await world.RefusedAsync("fetch", image);

        Assert.Contains("evil", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Assert.False(File.Exists("/tmp/appc-evil-absolute"));
        Assert.Empty(Directory.EnumerateFiles(world.Home, "evil", SearchOption.AllDirectories));
        await world.AssertEmptyAsync();

        static PaxTarEntry Entry(string name, string content) =>
            new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) };
    }

    [Fact]
    public async Task An_image_stored_unchecked_does_not_run_without_the_word()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        await world.MustAsync("--insecure-options=image", "fetch", image);

        string error = await world.RefusedAsync("run", "--stage1", "fly", "example.com/hello");

        Assert.Contains("example.com/hello", error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
        await world.MustAsync("--insecure-options=image", "run", "--rm", "--stage1", "fly", "example.com/hello");
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Without_root_a_pod_is_refused(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        Outcome outcome = await Programs.RunAsync(
            "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", Materials.Appc, .. world.Globals, "run", "--stage1", flavour, id], null);

        World.AssertRefused(outcome);
        Assert.Contains("root", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
    }

    [Fact]
    public async Task Without_systemd_nspawn_a_pod_is_refused()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        // The program is hidden from this one process tree: its directories are covered in a mount namespace.
        string script = $"for f in /usr/bin/systemd-nspawn /bin/systemd-nspawn; do mount --bind /dev/null $f 2>/dev/null; done; exec \"$@\"";
        Outcome outcome = await Programs.RunAsync(
            "unshare", ["--mount", "--propagation", "private", "sh", "-c", script, "sh", Materials.Appc, .. world.Globals, "run", "--stage1", "nspawn", id], null);

        World.AssertRefused(outcome);
        Assert.Contains("systemd-nspawn", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("systemd-container", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
    }

    [Fact]
    public async Task A_pod_that_cannot_be_made_is_refused_with_every_fault_and_leaves_nothing()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        string error = await world.RefusedAsync("run", id, "--name", "a", "--mount", "volume=missing,target=/data", "---", id, "--name", "a");

        Assert.Contains("missing", error, StringComparison.Ordinal);
        Assert.Contains("'a'", error.Replace(" a ", " 'a' ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
    }

    [Fact]
    public async Task An_unknown_pod_is_refused_by_every_command()
    {
        await using var world = new World(materials);
        foreach (string command in new[] { "status", "stop", "rm", "logs", "cat-manifest", "run-prepared" })
        {
            Assert.Contains("0000", await world.RefusedAsync(command, "00000000-1111"), StringComparison.Ordinal);
        }
    }
}
