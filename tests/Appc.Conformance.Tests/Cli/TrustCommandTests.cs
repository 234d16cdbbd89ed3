using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>The keystore from the command line, and discovery.</summary>
public sealed class TrustCommandTests(Materials materials)
{
    [Fact]
    public async Task A_key_is_added_listed_explained_and_removed()
    {
        await using var world = new World(materials);
        string fingerprint = await world.MustAsync("trust", "add", "--prefix", "example.com/team", "--yes", materials.PublicKey);

        JsonElement entry = Assert.Single((await world.JsonAsync("trust", "list")).EnumerateArray());
        Assert.Equal(fingerprint, entry.GetProperty("fingerprint").GetString());
        Assert.Equal("example.com/team", entry.GetProperty("prefix").GetString());
        Assert.Equal("publisher <publisher@example.com>", entry.GetProperty("userIds")[0].GetString());
        Assert.True(File.Exists(Path.Combine(world.Home, "etc/trustedkeys/prefix.d/example.com/team", fingerprint)));
        Assert.True((await world.JsonAsync("trust", "explain", "example.com/team/app")).GetProperty("anyAccepted").GetBoolean());
        Assert.False((await world.JsonAsync("trust", "explain", "example.com/teamwork")).GetProperty("anyAccepted").GetBoolean());

        await world.MustAsync("trust", "remove", fingerprint, "--prefix", "example.com/team");

        Assert.Equal(0, (await world.JsonAsync("trust", "list")).GetArrayLength());
    }

    [Fact]
    public async Task A_key_for_every_name_is_kept_in_its_own_place()
    {
        await using var world = new World(materials);
        string fingerprint = await world.MustAsync("trust", "add", "--root", "--yes", materials.PublicKey);

        Assert.True(File.Exists(Path.Combine(world.Home, "etc/trustedkeys/root.d", fingerprint)));
        await world.MustAsync("fetch", await world.BuildAsync("anything.test/at/all"));
    }

    [Theory]
    [InlineData("yes\n", 0)]
    [InlineData("no\n", 254)]
    [InlineData("", 254)]
    public async Task Adding_shows_the_fingerprint_and_asks(string answer, int exitCode)
    {
        await using var world = new World(materials);

        Outcome outcome = await Programs.RunAsync(Materials.Appc, [.. world.Globals, "trust", "add", "--prefix", "example.com", materials.PublicKey], null, answer);

        Assert.True(outcome.ExitCode == exitCode, outcome.ToString());
        Assert.Contains("publisher <publisher@example.com>", outcome.Error, StringComparison.Ordinal);
        Assert.Matches("[0-9A-F]{4} [0-9A-F]{4} ", outcome.Error);
        Assert.Equal(exitCode == 0 ? 1 : 0, (await world.JsonAsync("trust", "list")).GetArrayLength());
    }

    [Fact]
    public async Task The_whole_way_by_name_discovery_keys_fetch()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);
        publisher.OfferKey(materials.PublicKey);
        await publisher.OfferAsync(await world.BuildAsync("appc.test/hello"));

        JsonElement found = await world.JsonAsync(["discover", .. publisher.Options, "appc.test/hello:1.0.0"]);
        Assert.EndsWith($"/images/appc.test/hello-1.0.0-linux-{World.Architecture}.aci", found.GetProperty("images")[0].GetProperty("aci").GetString(), StringComparison.Ordinal);
        Assert.Equal("https://appc.test/pubkeys.gpg", found.GetProperty("publicKeys")[0].GetString());
        Assert.NotEqual(0, found.GetProperty("tried").GetArrayLength());

        await world.RefusedAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]);
        await world.MustAsync(["trust", "add", .. publisher.Options, "--prefix", "appc.test/hello", "--yes"]);
        JsonElement fetched = (await world.JsonAsync(["fetch", .. publisher.Options, "appc.test/hello:1.0.0"]))[0];
        Assert.Equal("download", fetched.GetProperty("from").GetString());
        JsonElement again = (await world.JsonAsync("fetch", "appc.test/hello:1.0.0"))[0];
        Assert.Equal("store", again.GetProperty("from").GetString());
    }

    [Fact]
    public async Task Discovery_that_finds_nothing_shows_what_it_tried_and_fails()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);

        Outcome outcome = await world.AppcAsync(["discover", "--connect-to", publisher.Options[3], "appc.test/hello"]);

        Assert.Equal(254, outcome.ExitCode);
        using JsonDocument document = JsonDocument.Parse(outcome.Output);
        Assert.Equal(0, document.RootElement.GetProperty("images").GetArrayLength());
        Assert.NotEqual(0, document.RootElement.GetProperty("tried").GetArrayLength());
    }

    [Fact]
    public async Task Credentials_of_the_host_are_used_by_commands_that_fetch_and_trouble_no_other()
    {
        await using var world = new World(materials);
        await using Publisher publisher = await Publisher.StartAsync(world);
        await publisher.OfferAsync(await world.BuildAsync("appc.test/hello"));
        await world.TrustAsync(prefix: "appc.test");
        publisher.Authorization = "Basic " + Convert.ToBase64String("me:secret"u8.ToArray());
        string[] fetch = ["fetch", .. publisher.Options, "appc.test/hello:1.0.0"];
        Assert.Contains("401", await world.RefusedAsync(fetch), StringComparison.Ordinal);

        string vendor = Directory.CreateDirectory(world.File_("usr/auth.d")).FullName;
        string own = Directory.CreateDirectory(world.File_("etc/auth.d")).FullName;
        await File.WriteAllTextAsync(Path.Combine(vendor, "a.json"), Auth("wrong"));
        Assert.Contains("401", await world.RefusedAsync(fetch), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(own, "a.json"), Auth("secret"));
        await world.MustAsync(fetch);

        await File.WriteAllTextAsync(Path.Combine(own, "a.json"), "{ \"secret\": ");
        string error = await world.RefusedAsync(fetch);
        Assert.Contains(Path.Combine(own, "a.json"), error, StringComparison.Ordinal);
        Assert.Equal(1, (await world.JsonAsync("image", "list")).GetArrayLength());
        await world.MustAsync("trust", "add", "--root", "--yes", materials.PublicKey);

        static string Auth(string password) => $$"""
            { "rktKind": "auth", "rktVersion": "v1", "domains": ["appc.test"], "type": "basic", "credentials": { "user": "me", "password": "{{password}}" } }
            """;
    }

    [Fact]
    public async Task Change_of_the_keystore_is_on_disk_when_the_command_ends()
    {
        await using var world = new World(materials);
        string directory = world.File_("etc/trustedkeys/prefix.d/example.com");
        string trace = await TraceAsync(world, "trust", "add", "--prefix", "example.com", "--yes", materials.PublicKey);
        string fingerprint = Path.GetFileName(Assert.Single(Directory.GetFiles(directory)));

        // The file before its name, the name, then the directory; and the directories that were made.
        Assert.Matches($@"(?s)fsync\(\d+<{directory}/\.{fingerprint}.*rename.*{fingerprint}.*fsync\(\d+<{directory}>\)", trace);
        Assert.Contains($"<{world.File_("etc/trustedkeys/prefix.d")}>", trace, StringComparison.Ordinal);
        Assert.Contains($"<{world.Home}>", trace, StringComparison.Ordinal);

        trace = await TraceAsync(world, "trust", "remove", fingerprint, "--prefix", "example.com");
        Assert.Matches($@"(?s)unlink.*{fingerprint}.*fsync\(\d+<{directory}>\)", trace);
    }

    [Fact]
    public async Task Explanation_answers_for_a_good_an_unknown_a_neighbouring_name_and_an_expired_key()
    {
        await using var world = new World(materials);
        Assert.Contains("no key is trusted", await world.MustAsync("trust", "explain", "example.com/app"), StringComparison.Ordinal);
        string good = await world.MustAsync("trust", "add", "--prefix", "example.com/app", "--yes", materials.PublicKey);
        string expired = await world.MustAsync("trust", "add", "--root", "--yes", Images.TestData.File("hostile/signatures/keys/expired.asc"));

        string answer = await world.MustAsync("trust", "explain", "example.com/app/web");
        Assert.Matches($"(?m)^accepted  {good}  .*: it is trusted for example.com/app$", answer);
        Assert.Matches($"(?m)^refused   {expired}  .*: .*expired on", answer);
        Assert.Matches($"(?m)^refused   {good}  .*: it is trusted for example.com/app, which does not cover example.com/apple$", await world.MustAsync("trust", "explain", "example.com/apple"));
        Assert.Matches($"(?m)^refused   {good}  .*does not cover other.org", await world.MustAsync("trust", "explain", "other.org/app"));
    }

    [Fact]
    public async Task Removed_key_stops_stored_images_and_prepared_pods_unless_the_word_is_said()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string pod = await world.MustAsync("prepare", id);
        JsonElement shown = await world.JsonAsync("image", "show", id);
        Assert.Equal("signatures", shown.GetProperty("trust").GetString());
        Assert.Equal("a trusted signature", shown.GetProperty("policy").GetString());
        string fingerprint = shown.GetProperty("signedBy").GetProperty("fingerprint").GetString()!;

        await world.MustAsync("trust", "remove", fingerprint, "--prefix", "example.com");
        foreach (string[] command in (string[][])[["run", "example.com/hello:1.0.0", "--pull-policy", "never"], ["run", id], ["prepare", id], ["run-prepared", pod]])
        {
            Assert.Contains("not trusted", await world.RefusedAsync(command), StringComparison.Ordinal);
        }

        Assert.Equal(0, (await world.AppcAsync("--insecure-options", "image", "run-prepared", pod)).ExitCode);
    }

    private static async Task<string> TraceAsync(World world, params string[] arguments)
    {
        string output = world.File_("trace");
        await Programs.MustAsync("strace", ["-f", "-y", "-qqq", "-o", output, "-e", "trace=fsync,rename,renameat,renameat2,unlink,unlinkat", Materials.Appc, .. world.Globals, .. arguments]);
        return await File.ReadAllTextAsync(output);
    }
}
