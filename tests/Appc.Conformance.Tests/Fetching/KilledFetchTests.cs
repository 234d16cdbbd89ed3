using System.Diagnostics;
using System.Security.Cryptography;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Fetching;

/// <summary>The program is killed in the middle of a fetch, many times; the next one goes on, and the image is the right one.</summary>
public sealed class KilledFetchTests(Materials materials)
{
    private const int Kills = 50;

    [Fact]
    public async Task Fetch_that_is_killed_at_any_moment_is_continued_by_the_next()
    {
        await using var world = new World(materials);
        await using SlowServer server = await SlowServer.StartAsync(world.File_("authority.pem"));
        string rootfs = Directory.CreateDirectory(world.File_("rootfs")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(rootfs, "noise"), RandomNumberGenerator.GetBytes(48 << 20));
        string image = await world.BuildAsync("appc.test/large", rootfs: rootfs);
        await world.TrustAsync(prefix: "appc.test");
        server.Archive = await File.ReadAllBytesAsync(image);
        server.Signature = await File.ReadAllBytesAsync(image + ".asc");
        string[] fetch = [.. server.Options, "fetch", "appc.test/large"];

        // Moments of two kinds, by a fixed seed: some time after the start, which may fall anywhere, and some pieces into
        // the transfer, however slow the machine is.
        server.Pause = TimeSpan.FromMilliseconds(4);
        var random = new Random(20);
        int killed = 0;
        for (int round = 0; round < Kills; round++)
        {
            using Process appc = world.Start(fetch);
            if (round % 2 == 0)
            {
                await Task.Delay(random.Next(50, 900), TestContext.Current.CancellationToken);
            }
            else
            {
                int target = server.Pieces + random.Next(1, 40);
                await Programs.UntilAsync(() => appc.HasExited || server.Pieces >= target, "pieces of the archive");
            }

            killed += appc.HasExited ? 0 : 1;
            appc.Kill();
            await appc.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        server.Pause = TimeSpan.Zero;
        string id = await world.MustAsync(fetch);

        Assert.True(killed > Kills / 2, $"only {killed} of {Kills} fetches were interrupted");
        Assert.True(server.Continued > 0, "no fetch was continued");
        await world.MustAsync("image", "verify", id);
        string exported = world.File_("exported.aci");
        await world.MustAsync("image", "export", id, exported);
        Assert.Equal(SHA512.HashData(server.Archive), SHA512.HashData(await File.ReadAllBytesAsync(exported)));
        Assert.Equal(1, (await world.JsonAsync("image", "list")).GetArrayLength());
        Assert.DoesNotContain(world.Leftovers(), l => Path.GetFileName(l).StartsWith("fetch-", StringComparison.Ordinal));
        await world.MustAsync("gc");
        Assert.Equal([Path.Combine(world.Root, "images", id)], world.Leftovers());
    }
}
