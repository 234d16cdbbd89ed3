namespace Appc.Conformance.Tests.Cli;

/// <summary>SOURCE_DATE_EPOCH, in a process of its own: an environment is the whole process's.</summary>
public sealed class BuildTimeTests(Materials materials)
{
    [Fact]
    public async Task No_entry_is_later_than_the_source()
    {
        await using var world = new World(materials);
        string tree = await Tree(world);

        string first = await Build(world, tree, "1.aci", "1000000000");
        await Programs.MustAsync("touch", Path.Combine(tree, "new"), tree);
        string second = await Build(world, tree, "2.aci", "1000000000");

        Assert.Equal(await File.ReadAllBytesAsync(first, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(second, TestContext.Current.CancellationToken));
        string times = await Programs.MustAsync("bash", "-c", $"TZ=UTC tar --full-time -tvf '{first}' | sed -E 's/.* ([0-9-]+ [0-9:.]+) ([^ ]+)$/\\1 \\2/'");
        Assert.Equal("2001-09-09 01:46:40 manifest\n2001-09-09 01:46:40 rootfs/\n2001-09-09 01:46:40 rootfs/new\n1999-01-01 00:00:00.5 rootfs/old\n", times);
    }

    [Theory]
    [InlineData("tomorrow")]
    [InlineData("-1")]
    [InlineData("1e9")]
    [InlineData(" 1")]
    [InlineData("1700000000000")]
    [InlineData("99999999999999999999")]
    [InlineData("\u001b[31m")]
    public async Task What_is_no_time_is_an_error(string value)
    {
        await using var world = new World(materials);
        string tree = await Tree(world);

        Outcome outcome = await Run(world, tree, "x.aci", value);

        World.AssertRefused(outcome);
        Assert.Contains("SOURCE_DATE_EPOCH", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(world.File_("x.aci")));
    }

    private static async Task<string> Tree(World world)
    {
        string tree = world.File_("tree");
        await Programs.MustAsync("bash", "-c", $"mkdir '{tree}' && printf x > '{tree}/old' && printf y > '{tree}/new' && TZ=UTC touch -d '1999-01-01 00:00:00.5' '{tree}/old'");
        return tree;
    }

    private static async Task<string> Build(World world, string tree, string name, string epoch)
    {
        Outcome outcome = await Run(world, tree, name, epoch);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return world.File_(name);
    }

    private static async Task<Outcome> Run(World world, string tree, string name, string epoch)
    {
        string manifest = world.File_("manifest.json");
        await File.WriteAllTextAsync(manifest, """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"}""");
        return await Programs.RunAsync(
            Materials.Appc,
            [.. world.Globals, "build", "--manifest", manifest, "--rootfs", tree, world.File_(name)],
            new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = epoch });
    }
}
