using System.Security.Cryptography;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Building, signing, storing, showing and exporting images.</summary>
public sealed class ImageCommandTests(Materials materials)
{
    [Fact]
    public async Task Build_is_reproducible_and_prints_the_id_that_is_the_hash()
    {
        await using var world = new World(materials);
        string first = await world.BuildAsync(key: null, file: "first.aci");
        string second = await world.BuildAsync(key: null, file: "second.aci");

        Assert.Equal(await File.ReadAllBytesAsync(first), await File.ReadAllBytesAsync(second));
        string id = (await Programs.MustAsync("/bin/sh", "-c", $"gzip -dc '{first}' | sha512sum")).Split(' ')[0];
        JsonElement[] stored = [.. (await FetchInsecurelyAsync(world, first)).EnumerateArray()];
        Assert.Equal("sha512-" + id, stored[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Build_keeps_an_existing_file_unless_told_otherwise()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        byte[] before = SHA256.HashData(await File.ReadAllBytesAsync(image));

        string error = await world.RefusedAsync("build", "--manifest", world.File_("manifest.json"), "--rootfs", materials.Rootfs, "--compression", "none", image);

        Assert.Contains(image, error, StringComparison.Ordinal);
        Assert.Equal(before, SHA256.HashData(await File.ReadAllBytesAsync(image)));
    }

    [Fact]
    public async Task A_signature_of_ours_satisfies_gpg()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync();
        string ring = world.File_("ring.gpg");
        await Programs.MustAsync("gpg", "--batch", "--dearmor", "--output", ring, materials.PublicKey);

        Outcome outcome = await Programs.RunAsync("gpgv", "--keyring", ring, image + ".asc", image);

        Assert.True(outcome.ExitCode == 0, outcome.ToString());
    }

    [Fact]
    public async Task Fetching_a_file_stores_it_and_says_who_signed_it()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync();
        await world.TrustAsync();

        JsonElement fetched = (await world.JsonAsync("fetch", image))[0];

        Assert.Equal("example.com/hello", fetched.GetProperty("name").GetString());
        Assert.Equal("1.0.0", fetched.GetProperty("labels").GetProperty("version").GetString());
        Assert.Equal("file", fetched.GetProperty("from").GetString());
        Assert.Equal("publisher <publisher@example.com>", fetched.GetProperty("signedBy").GetProperty("userId").GetString());
        JsonElement listed = (await world.JsonAsync("image", "list"))[0];
        Assert.Equal(fetched.GetProperty("id").GetString(), listed.GetProperty("id").GetString());
        Assert.False(listed.GetProperty("insecure").GetBoolean());
    }

    [Fact]
    public async Task Images_are_named_by_id_by_a_prefix_of_it_and_by_name()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        foreach (string reference in new[] { id, id[..20], "example.com/hello", "example.com/hello:1.0.0", "example.com/hello,version=1.0.0" })
        {
            Assert.Equal(id, (await world.JsonAsync("image", "show", reference)).GetProperty("id").GetString());
            Assert.Equal(id, await world.MustAsync("fetch", "--pull-policy", "never", reference));
        }

        Assert.Contains("example.com/other", await world.RefusedAsync("image", "show", "example.com/other"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_gives_back_the_very_bytes_that_were_signed()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync();
        await world.TrustAsync();
        string id = await world.MustAsync("fetch", image);
        string copy = world.File_("copy.aci");

        await world.MustAsync("image", "export", id, copy);

        Assert.Equal(await File.ReadAllBytesAsync(image), await File.ReadAllBytesAsync(copy));
        Assert.Equal(await File.ReadAllBytesAsync(image + ".asc"), await File.ReadAllBytesAsync(copy + ".asc"));
    }

    [Fact]
    public async Task Cat_manifest_prints_a_manifest_that_validates()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string manifest = world.File_("copy.json");

        await File.WriteAllTextAsync(manifest, await world.MustAsync("image", "cat-manifest", id));

        Assert.Equal($"{manifest}: valid image", await world.MustAsync("validate", manifest));
    }

    [Fact]
    public async Task Verify_says_no_once_the_key_is_no_longer_trusted()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        Assert.Equal(0, (await world.AppcAsync("image", "verify", id)).ExitCode);
        string fingerprint = (await world.JsonAsync("trust", "list"))[0].GetProperty("fingerprint").GetString()!;

        await world.MustAsync("trust", "remove", fingerprint, "--prefix", "example.com");

        Assert.Equal(1, (await world.AppcAsync("image", "verify", id)).ExitCode);
    }

    [Fact]
    public async Task Removing_an_image_leaves_nothing_of_it()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();

        Assert.Equal(id, await world.MustAsync("image", "rm", "example.com/hello"));

        await world.AssertEmptyAsync();
    }

    [Fact]
    public async Task Validate_answers_a_line_each_and_ends_with_1_when_one_is_invalid()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        string manifest = world.File_("manifest.json");
        string pod = world.File_("pod.json");
        string bad = world.File_("bad.json");
        await File.WriteAllTextAsync(pod, """{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}""");
        await File.WriteAllTextAsync(bad, """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"Not Valid"}""");

        Outcome outcome = await world.AppcAsync("validate", image, manifest, pod, bad);

        Assert.Equal(1, outcome.ExitCode);
        string[] lines = outcome.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal([$"{image}: valid aci", $"{manifest}: valid image", $"{pod}: valid pod"], lines[..3]);
        Assert.StartsWith($"{bad}: invalid: ", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_reads_standard_input_and_prints_the_canonical_form()
    {
        await using var world = new World(materials);
        const string Text = """ { "name" : "example.com/a" , "acKind":"ImageManifest","acVersion":"0.8.11" } """;

        Outcome answer = await Programs.RunAsync(Materials.Appc, ["validate", "-"], null, Text);
        Outcome printed = await Programs.RunAsync(Materials.Appc, ["validate", "--print", "-"], null, Text);

        Assert.Equal("-: valid image\n", answer.Output);
        using JsonDocument document = JsonDocument.Parse(printed.Output);
        Assert.Equal("example.com/a", document.RootElement.GetProperty("name").GetString());
    }

    private static async Task<JsonElement> FetchInsecurelyAsync(World world, string image)
    {
        Outcome outcome = await world.AppcAsync("--format", "json", "--insecure-options", "image", "fetch", image);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains("warning: --insecure-options=image", outcome.Error, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(outcome.Output);
        return document.RootElement.Clone();
    }
}
