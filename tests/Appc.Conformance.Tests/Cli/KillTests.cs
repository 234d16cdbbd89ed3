using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>The host program is killed in the middle of its work; the next call works, and gc leaves nothing.</summary>
public sealed class KillTests(Materials materials)
{
    [Fact]
    public async Task Killed_in_the_middle_of_an_import()
    {
        await using var world = new World(materials);
        string rootfs = Directory.CreateDirectory(world.File_("rootfs")).FullName;
        byte[] noise = new byte[32 << 20];
        RandomNumberGenerator.Fill(noise);
        for (int i = 0; i < 3; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(rootfs, $"noise{i}"), noise);
        }

        string image = await world.BuildAsync("example.com/large", rootfs: rootfs);
        await world.TrustAsync();
        string work = Path.Combine(world.Root, "tmp");
        int interrupted = 0;
        for (int round = 0; round < 8; round++)
        {
            using Process appc = world.Start("fetch", image);
            await Programs.UntilAsync(() => appc.HasExited || (Directory.Exists(work) && Directory.EnumerateFileSystemEntries(work).Any()), "work in progress");
            await Task.Delay(round * 30, TestContext.Current.CancellationToken);
            if (!appc.HasExited)
            {
                appc.Kill();
                interrupted++;
            }

            await appc.WaitForExitAsync(TestContext.Current.CancellationToken);
            foreach (JsonElement stored in (await world.JsonAsync("image", "list")).EnumerateArray())
            {
                await world.MustAsync("image", "verify", stored.GetProperty("id").GetString()!);
                await world.MustAsync("image", "rm", stored.GetProperty("id").GetString()!);
            }
        }

        Assert.True(interrupted > 0, "no import was interrupted");
        await world.MustAsync("gc");
        Assert.Empty(world.Leftovers());
        Assert.StartsWith("sha512-", await world.MustAsync("fetch", image), StringComparison.Ordinal);
        await world.MustAsync("image", "verify", "example.com/large");
    }

    [Theory]
    [InlineData("prepare")]
    [InlineData("run")]
    public async Task Killed_at_any_moment_of(string command)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string[] line = [command, id, "--memory", "64M", "--exec", "/bin/sleep", "--", "1000"];
        await world.MustAsync("run", "--rm", id);
        TimeSpan whole = await TimeAsync(world, ["prepare", id]);
        var uuids = new HashSet<string>();
        const int Rounds = 12;
        for (int round = 0; round < Rounds; round++)
        {
            using Process appc = world.Start(line);
            await Task.Delay(whole * 1.5 * round / Rounds, TestContext.Current.CancellationToken);
            appc.Kill();
            await appc.WaitForExitAsync(TestContext.Current.CancellationToken);
            foreach (JsonElement pod in (await world.JsonAsync("list")).EnumerateArray())
            {
                uuids.Add(pod.GetProperty("uuid").GetString()!);
            }

            Assert.Equal(string.Empty, await world.MustAsync("run", "--rm", "--stage1", "fly", id));
        }

        foreach (JsonElement pod in (await world.JsonAsync("list")).EnumerateArray())
        {
            if (pod.GetProperty("state").GetString() == "running")
            {
                await world.MustAsync("stop", "--force", pod.GetProperty("uuid").GetString()!);
            }
        }

        await world.MustAsync("gc", "--grace-period", "0", "--expire-prepared", "0");
        await world.MustAsync("image", "rm", id);
        Assert.Empty(world.Leftovers());
        Assert.Empty(world.Traces([.. uuids]));
    }

    [Theory]
    [InlineData("nspawn")]
    [InlineData("fly")]
    public async Task Killed_while_its_pod_runs(string flavour)
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        using Process appc = world.Start("run", "--stage1", flavour, id, "--memory", "64M", "--cpu", "500m", "--exec", "/bin/sh", "--", "-c", "echo up; sleep 1000");
        Assert.Equal("up", await appc.StandardOutput.ReadLineAsync());

        appc.Kill();
        await appc.WaitForExitAsync(TestContext.Current.CancellationToken);

        JsonElement pod = (await world.JsonAsync("list"))[0];
        string uuid = pod.GetProperty("uuid").GetString()!;
        Assert.Equal("running", pod.GetProperty("state").GetString());
        Assert.Equal("up", await world.MustAsync("logs", uuid));
        await world.MustAsync("run", "--rm", "--stage1", flavour, id);
        await world.MustAsync("stop", "--timeout", "1s", uuid);
        Assert.Equal("exited", (await world.JsonAsync("status", uuid)).GetProperty("state").GetString());
        await world.MustAsync("gc", "--grace-period", "0");
        Assert.Equal(0, (await world.JsonAsync("list")).GetArrayLength());
        Assert.Empty(world.Traces(uuid));
    }

    private static async Task<TimeSpan> TimeAsync(World world, string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        await world.MustAsync(arguments);
        return clock.Elapsed;
    }
}
