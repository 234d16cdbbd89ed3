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
}
