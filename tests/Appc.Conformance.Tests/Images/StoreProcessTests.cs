using System.Diagnostics;
using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Images;

/// <summary>Processes that use one store at once, and a user who is not root. Faults at system calls are struck by Appc.Core.Tests.</summary>
public sealed class StoreProcessTests(Materials materials)
{
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
