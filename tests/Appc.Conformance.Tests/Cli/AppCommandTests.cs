using System.Diagnostics;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Apps of a running pod, from the command line.</summary>
public sealed class AppCommandTests(Materials materials)
{
    private static readonly string[] Server = ["--exec", "/bin/sh", "--", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"];

    [Fact]
    public async Task Apps_are_added_listed_stopped_started_and_removed()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string pod = await world.MustAsync("run", "--detach", "--mutable");
        Assert.Equal(0, (await world.JsonAsync("app", "list", pod)).GetArrayLength());

        Assert.Equal("one", await world.MustAsync(["app", "add", pod, id, "--name", "one", .. Server]));
        Assert.Equal("two", await world.MustAsync(["app", "add", "--no-start", pod, id, "--name", "two", .. Server]));
        Assert.Equal("one=running two=prepared", await StatesAsync(world, pod));
        Assert.Equal("two", await world.MustAsync("app", "start", pod, "two"));
        Assert.Equal("hi", await world.MustAsync("enter", "--app", "two", pod, "/bin/echo", "hi"));
        Assert.Equal("one", await world.MustAsync("app", "stop", pod, "one"));
        Assert.Contains("exited 7", await world.MustAsync("app", "list", pod), StringComparison.Ordinal);
        Assert.Equal("one=exited two=running", await StatesAsync(world, pod));
        Assert.Contains("bye", await world.MustAsync("logs", "--app", "one", pod), StringComparison.Ordinal);
        Assert.Equal("one\ntwo", await world.MustAsync("app", "rm", "--force", pod, "one", "two"));
        Assert.Equal(0, (await world.JsonAsync("app", "list", pod)).GetArrayLength());
        Assert.Contains("has no app 'one'", await world.RefusedAsync("app", "stop", pod, "one"), StringComparison.Ordinal);
        Assert.Contains("--mutable", await world.RefusedAsync("app", "add", await world.MustAsync(["run", "--detach", id, .. Server]), id), StringComparison.Ordinal);
        await world.MustAsync("stop", pod);
    }

    /// <summary>The program that changes a pod is killed in the midst of it; another one finds the right apps, and goes on.</summary>
    [Fact]
    public async Task A_killed_change_is_finished_or_taken_back_by_the_next()
    {
        await using var world = new World(materials);
        string id = await world.StoreAsync();
        string other = await world.StoreAsync("example.com/other");
        string pod = await world.MustAsync(["run", "--detach", "--mutable", id, "--name", "first", .. Server]);
        string directory = Path.Combine(world.Root, "pods/run", pod);
        string first = (await world.JsonAsync("app", "list", pod))[0].GetProperty("started").GetString()!;
        bool Names(string file) => File.ReadAllText(Path.Combine(directory, file)).Contains("\"late\"", StringComparison.Ordinal);
        string unit = Path.Combine(directory, "stage1/pod/units/app-late.service");
        string[] add = ["app", "add", pod, other, "--name", "late", .. Server];
        string[] remove = ["app", "rm", pod, "late"];
        (string[] Change, Func<bool> Point)[] kills =
        [
            (add, () => Names("options.json")),
            (add, () => File.Exists(unit)),
            (add, () => Names("pod")),
            (add, () => File.Exists(Path.Combine(directory, "status/late"))),
            (remove, () => !Names("pod")),
            (remove, () => !File.Exists(unit)),
        ];

        foreach ((string[] change, Func<bool> point) in kills)
        {
            bool listed = (await StatesAsync(world, pod)).Contains("late", StringComparison.Ordinal);
            if (listed != (change == remove))
            {
                await world.MustAsync(listed ? remove : add);
            }

            using Process appc = world.Start(change);
            while (!point() && !appc.HasExited)
            {
                await Task.Yield();
            }

            appc.Kill();
            await appc.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Contains("first=running", await StatesAsync(world, pod), StringComparison.Ordinal);

            // What may be mounted is not collected.
            await world.MustAsync("image", "gc", "--grace-period", "0");
            if ((await StatesAsync(world, pod)).Contains("late", StringComparison.Ordinal))
            {
                await world.MustAsync("app", "start", pod, "late");
                Assert.Equal("up", await world.MustAsync("enter", "--app", "late", pod, "/bin/echo", "up"));
                await world.MustAsync(remove);
            }

            other = await world.MustAsync("fetch", world.File_("other-1.0.0.aci"));
            await world.MustAsync(add);
            Assert.Equal("first=running late=running", await StatesAsync(world, pod));
        }

        await world.MustAsync(remove);
        Assert.Equal(first, (await world.JsonAsync("app", "list", pod))[0].GetProperty("started").GetString());
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory, "*late*", SearchOption.AllDirectories));
        string nspawn = (await File.ReadAllTextAsync(Path.Combine(directory, "first"), TestContext.Current.CancellationToken)).Split(' ')[0];
        Assert.DoesNotContain("/late/", await File.ReadAllTextAsync($"/proc/{nspawn}/mountinfo", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await world.MustAsync("stop", pod);
        await world.MustAsync("gc", "--grace-period", "0");
        await world.MustAsync("image", "gc", "--grace-period", "0");
        Assert.Empty(world.Leftovers());
        Assert.Empty(world.Traces(pod));
    }

    private static async Task<string> StatesAsync(World world, string pod) =>
        string.Join(' ', (await world.JsonAsync("app", "list", pod)).EnumerateArray().Select(a => $"{a.GetProperty("name").GetString()}={a.GetProperty("state").GetString()}"));
}
