namespace Appc.Conformance.Tests.Cli;

/// <summary>Kinds of compression, from the command line.</summary>
public sealed class ArchiveCommandTests(Materials materials)
{
    [Fact]
    public async Task Xz_is_read_where_liblzma_is_missing()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        string compressed = world.File_("x.aci");
        string id = await world.MustAsync("--format", "json", "validate", image);
        await Programs.MustAsync("bash", "-c", $"zcat '{image}' | xz > '{compressed}'");

        // Nothing but what this very process sees loses the library.
        string hide = "for library in $(ldconfig -p | sed -n 's/.*liblzma.so.5 .*=> //p'); do mount --bind /dev/null $library; done";
        string said = await Programs.MustAsync("unshare", "-m", "bash", "-c", $"{hide}; ! xz --version >&2 && exec '{Materials.Appc}' --format json validate '{compressed}'");

        Assert.Equal(id.Replace(image, compressed, StringComparison.Ordinal).Trim(), said.Trim());
    }

    [Fact]
    public async Task Zstd_needs_a_word()
    {
        await using var world = new World(materials);
        string image = await world.BuildAsync(key: null);
        string compressed = world.File_("z.aci");
        await Programs.MustAsync("bash", "-c", $"zcat '{image}' | zstd -q > '{compressed}'");

        Outcome invalid = await world.AppcAsync("validate", compressed);
        Assert.Equal(1, invalid.ExitCode);
        Assert.Contains("zstd", invalid.Output, StringComparison.Ordinal);
        Outcome refused = await world.AppcAsync("--insecure-options=image", "fetch", compressed);
        Assert.Equal(254, refused.ExitCode);
        Assert.Contains("--allow-zstd", refused.Error, StringComparison.Ordinal);

        await world.MustAsync("validate", "--allow-zstd", compressed);
        Assert.StartsWith("sha512-", await world.MustAsync("--insecure-options=image", "fetch", "--allow-zstd", compressed), StringComparison.Ordinal);
    }
}
