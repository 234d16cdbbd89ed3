using System.Diagnostics;
using System.Text.Json;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Images;

/// <summary>
/// Imports that are killed, or refused by the kernel, at one system call after the other (injected by strace): the
/// store stays consistent, the next import works, and nothing is left over.
/// </summary>
public sealed class StoreFaultTests(Materials materials)
{
    // The calls by which an import changes the disk, in about the order in which they come.
    private static readonly string[] Calls =
        ["mkdir", "flock", "fallocate", "pwrite64", "mkdirat", "symlinkat", "mknodat", "fchown", "fchmod", "utimensat", "syncfs", "renameat2", "fsync"];

    public static TheoryData<string, int, string> Faults
    {
        get
        {
            TheoryData<string, int, string> faults = [];
            foreach (string call in Calls)
            {
                faults.Add(call, 1, "signal=KILL");
            }

            faults.Add("fchmod", 9, "signal=KILL");
            faults.Add("pwrite64", 3, "signal=KILL");
            faults.Add("pwrite64", 1, "error=ENOSPC");
            faults.Add("pwrite64", 3, "error=EIO");
            faults.Add("mkdirat", 2, "error=ENOSPC");
            faults.Add("symlinkat", 1, "error=EDQUOT");
            faults.Add("fchown", 2, "error=EPERM");
            faults.Add("syncfs", 1, "error=EIO");
            faults.Add("renameat2", 1, "error=ENOSPC");
            faults.Add("openat2", 1, "error=EMFILE");
            return faults;
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_in_an_import_leaves_the_store_whole(string call, int when, string fault)
    {
        await using World world = new(materials);
        string rootfs = Directory.CreateDirectory(world.File_("rootfs")).FullName;
        await Programs.MustAsync("/bin/sh", "-c", $"cd '{rootfs}' && mkdir -p a/b c && echo 1 > a/b/f && echo 2 > c/g && ln c/g c/h && ln -s g c/s && mkfifo p && mknod n c 1 3");
        string image = await world.BuildAsync("example.com/fault", rootfs: rootfs);
        await world.TrustAsync();

        Outcome outcome = await Programs.RunAsync(
            "strace", ["-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + call, "-e", $"inject={call}:{fault}:when={when}", Materials.Appc, .. world.Globals, "fetch", image], null);

        if (fault.StartsWith("error", StringComparison.Ordinal) && outcome.ExitCode != 0)
        {
            World.AssertRefused(outcome);
            Assert.Empty(world.Leftovers());
        }

        foreach (JsonElement stored in (await world.JsonAsync("image", "list")).EnumerateArray())
        {
            await world.MustAsync("image", "verify", stored.GetProperty("id").GetString()!);
        }

        string id = await world.MustAsync("fetch", image);
        await world.MustAsync("gc");
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(world.Root, "tmp")));
        string tree = Path.Combine(world.Root, "images", id, "rootfs");
        await Programs.MustAsync("diff", "-r", "--no-dereference", Path.Combine(rootfs, "a"), Path.Combine(tree, "a"));
        Assert.Equal("2\n", await File.ReadAllTextAsync(Path.Combine(tree, "c/h")));
    }

    [Fact]
    public async Task Several_processes_import_one_image_at_once()
    {
        await using World world = new(materials);
        string image = await world.BuildAsync("example.com/shared");
        await world.TrustAsync();

        string[] ids = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => world.MustAsync("fetch", image)));

        Assert.Single(ids.Distinct());
        Assert.Equal(1, (await world.JsonAsync("image", "list")).GetArrayLength());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(world.Root, "tmp")));
    }

    [Fact]
    public async Task What_a_living_process_works_on_is_not_collected()
    {
        await using World world = new(materials);
        string image = await world.BuildAsync("example.com/slow");
        await world.TrustAsync();

        // Held up for a while at the call that makes the tree durable.
        using Process slow = Programs.Start(
            "strace", ["-f", "-qqq", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:delay_enter=4000000", Materials.Appc, .. world.Globals, "fetch", image]);
        await Programs.UntilAsync(() => Directory.Exists(Path.Combine(world.Root, "tmp")) && Directory.EnumerateDirectories(Path.Combine(world.Root, "tmp"), "rootfs", SearchOption.AllDirectories).Any(), "an import at work");
        await world.MustAsync("gc");
        await slow.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, slow.ExitCode);
        Assert.Equal(1, (await world.JsonAsync("image", "list")).GetArrayLength());
    }

    [Fact]
    public async Task Without_root_an_image_is_imported_for_its_user()
    {
        await using World world = new(materials);
        string rootfs = Directory.CreateDirectory(world.File_("rootfs")).FullName;
        await Programs.MustAsync("/bin/sh", "-c", $"cd '{rootfs}' && mkdir -p closed/in && echo 1 > closed/in/f && chmod 0555 closed && echo 2 > su && chmod 4755 su");
        string image = await world.BuildAsync("example.com/user", rootfs: rootfs);
        string root = Directory.CreateDirectory(world.File_("of-nobody")).FullName;
        await Programs.MustAsync("chown", "65534:65534", root);

        await Programs.MustAsync(
            "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", Materials.Appc, "--root", root, "--insecure-options", "image", "fetch", image);

        string tree = Directory.GetDirectories(Path.Combine(root, "images")).Select(d => Path.Combine(d, "rootfs")).Single();
        Assert.Equal("1\n", await File.ReadAllTextAsync(Path.Combine(tree, "closed/in/f")));
        Assert.Equal("555 65534", (await Programs.MustAsync("stat", "-c", "%a %u", Path.Combine(tree, "closed"))).Trim());

        // Without its owner the bit would make the file a door to whoever imported it.
        Assert.Equal("755 65534", (await Programs.MustAsync("stat", "-c", "%a %u", Path.Combine(tree, "su"))).Trim());
    }
}
