using System.Diagnostics;
using System.Globalization;

namespace Appc.Conformance.Tests.Cli;

/// <summary>The metadata service as a program of its own, beside those that run pods.</summary>
public sealed class MetadataCommandTests(Materials materials)
{
    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Pods_are_served_by_whichever_process_does_it(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string[] ask = ["--stage1", flavour, id, "--exec", "/bin/sh", "--", "-c", "echo \"${AC_METADATA_URL:-none}\"; busybox wget -q -O- $AC_METADATA_URL/acMetadata/v1/pod/uuid"];
        Assert.Contains("no process serves", await world.RefusedAsync(["run", "--mds-register", .. ask]), StringComparison.Ordinal);
        Assert.DoesNotContain(world.Leftovers(), l => l.Contains("/pods/", StringComparison.Ordinal));

        using (Process first = await StartAsync(world))
        {
            Assert.Contains("another process serves", await world.RefusedAsync("metadata-service", "--listen", "none"), StringComparison.Ordinal);
            await MustTellAsync(world, ["run", "--mds-register", .. ask]);

            // What it leaves when it is killed is not taken for a service.
            first.Kill();
            await first.WaitForExitAsync();
        }

        Assert.Contains("no process serves", await world.RefusedAsync(["run", "--mds-register", .. ask]), StringComparison.Ordinal);
        Assert.StartsWith("none\n", (await world.AppcAsync(["run", "--rm", .. ask])).Output, StringComparison.Ordinal);

        using Process second = await StartAsync(world);
        await MustTellAsync(world, ["run", .. ask]);
        await Programs.MustAsync("kill", "-TERM", second.Id.ToString(CultureInfo.InvariantCulture));
        await second.WaitForExitAsync();
        Assert.Equal(0, second.ExitCode);
        Assert.Empty(world.Traces());
    }

    [Theory]
    [InlineData("18112")]
    [InlineData("localhost:18112")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:99999")]
    public async Task An_address_that_is_none_is_refused(string address)
    {
        await using var world = new World(materials);
        Outcome outcome = await world.AppcAsync("metadata-service", "--listen", address);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains($"--listen: '{address}'", outcome.Error, StringComparison.Ordinal);
    }

    private static async Task<Process> StartAsync(World world)
    {
        Process service = world.Start("metadata-service", "--listen", "127.0.0.1:0");
        Assert.Matches($"^serving {world.Root}, in the host's network at 127\\.0\\.0\\.1:[1-9][0-9]*$", await service.StandardOutput.ReadLineAsync().WaitAsync(Programs.Patience));
        return service;
    }

    private static async Task MustTellAsync(World world, string[] run)
    {
        string output = await world.MustAsync([run[0], "--uuid-file-save", world.File_("uuid"), .. run[1..]]);
        string uuid = (await File.ReadAllTextAsync(world.File_("uuid"))).Trim();
        Assert.Equal(uuid, output.Split('\n')[1]);
        await world.MustAsync("rm", uuid);
    }
}
