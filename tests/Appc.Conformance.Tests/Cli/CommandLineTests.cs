namespace Appc.Conformance.Tests.Cli;

/// <summary>What a wrong command line gets, and what help and version say.</summary>
public sealed class CommandLineTests(Materials materials)
{
    [Theory]
    [InlineData("frobnicate")]
    [InlineData("run")]
    [InlineData("image")]
    [InlineData("image frobnicate")]
    [InlineData("trust add --prefix example.com --root")]
    [InlineData("trust remove abc")]
    [InlineData("list --frobnicate")]
    [InlineData("list too many")]
    [InlineData("list --format yaml")]
    [InlineData("list --quiet=maybe")]
    [InlineData("list --root")]
    [InlineData("list --insecure-options image,frobnicate")]
    [InlineData("status")]
    [InlineData("status one two")]
    [InlineData("stop --timeout soon x")]
    [InlineData("build out.aci")]
    [InlineData("run ./x.aci stray")]
    [InlineData("run --exec /bin/sh ./x.aci")]
    [InlineData("run ./x.aci --- ")]
    [InlineData("run -- /bin/sh")]
    [InlineData("run --detach --rm ./x.aci")]
    [InlineData("run --volume data ./x.aci")]
    [InlineData("fetch --pull-policy sometimes x")]
    [InlineData("fetch --signature a.asc --signature b.asc x")]
    public async Task A_wrong_command_line_ends_with_2_and_says_where_help_is(string line)
    {
        await using var world = new World(materials);
        string[] arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        Outcome outcome = await Programs.RunAsync(Materials.Appc, [.. world.Globals, .. arguments], null);

        Assert.True(outcome.ExitCode == 2, outcome.ToString());
        Assert.Equal(string.Empty, outcome.Output);
        Assert.Equal(2, outcome.ErrorLines.Length);
        Assert.StartsWith("appc: ", outcome.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("appc help", outcome.ErrorLines[1], StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.Root), "a wrong command line must not write anything");
    }

    [Fact]
    public async Task Global_options_stand_before_or_after_the_command()
    {
        await using var world = new World(materials);
        string elsewhere = world.File_("elsewhere");

        Outcome before = await Programs.RunAsync(Materials.Appc, "--format", "json", "--root", elsewhere, "image", "list");
        Outcome after = await Programs.RunAsync(Materials.Appc, "image", "list", "--root=" + elsewhere, "--format=json");
        Outcome between = await Programs.RunAsync(Materials.Appc, "image", "--root", elsewhere, "list", "--format", "json");

        Assert.Equal(new Outcome(0, "[]\n", string.Empty), before);
        Assert.Equal(before, after);
        Assert.Equal(before, between);
    }

    [Fact]
    public async Task The_root_comes_from_the_environment_where_no_option_says_it()
    {
        await using var world = new World(materials);
        await world.StoreAsync();
        var environment = new Dictionary<string, string> { ["APPC_ROOT"] = world.Root };

        Outcome outcome = await Programs.RunAsync(Materials.Appc, ["image", "list"], environment);

        Assert.Contains("example.com/hello", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_every_command_and_explains_each()
    {
        Outcome help = await Programs.RunAsync(Materials.Appc, "help");
        Assert.Equal(0, help.ExitCode);
        foreach (string command in new[] { "validate", "build", "sign", "discover", "trust add", "trust list", "trust remove", "trust explain", "fetch", "image list", "image export", "run", "prepare", "run-prepared", "status", "stop", "gc", "logs" })
        {
            Assert.Contains("  " + command + " ", help.Output, StringComparison.Ordinal);
            Outcome one = await Programs.RunAsync(Materials.Appc, ["help", .. command.Split(' ')], null);
            Assert.StartsWith("usage: appc " + command, one.Output, StringComparison.Ordinal);
        }

        Assert.Equal(help.Output, (await Programs.RunAsync(Materials.Appc, "--help")).Output);
        Assert.StartsWith("usage: appc run ", (await Programs.RunAsync(Materials.Appc, "run", "--help")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_names_the_specification_and_what_each_flavour_found()
    {
        await using var world = new World(materials);

        System.Text.Json.JsonElement version = await world.JsonAsync("version");

        Assert.Equal("0.8.11", version.GetProperty("specification").GetString());
        Assert.Equal(["nspawn", "fly"], version.GetProperty("stage1").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.All(version.GetProperty("stage1").EnumerateArray(), s => Assert.Null(s.GetProperty("problem").GetString()));
        Assert.Contains("specification 0.8.11", await world.MustAsync("version"), StringComparison.Ordinal);
    }
}
