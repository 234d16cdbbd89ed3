[assembly: AssemblyFixture(typeof(Appc.Stage1.Nspawn.NspawnFixture))]

namespace Appc.Stage1.Nspawn;

/// <summary>A data directory with one image, shared by all tests of the flavour: the stage1 tree is built once.</summary>
public sealed class NspawnFixture : IDisposable
{
    private static readonly string[] Applets =
    [
        "sh", "cat", "true", "id", "ls", "sleep", "grep", "mkdir", "touch", "readlink", "stat", "env", "pwd", "hostname",
        "mknod", "mount", "umount", "dd", "kill", "ps", "od", "wc", "tr", "unshare", "chown", "rm", "sort", "ip", "printf", "stty",
    ];

    public NspawnFixture()
    {
        Root = Directory.CreateTempSubdirectory("appc-nspawn-").FullName;
        Image = Directory.CreateDirectory(Path.Combine(Root, "image")).FullName;
        foreach (string directory in (string[])["bin", "etc", "tmp", "data"])
        {
            Directory.CreateDirectory(Path.Combine(Image, directory));
        }

        File.Copy("/usr/bin/busybox", Path.Combine(Image, "bin/busybox"));
        foreach (string applet in Applets)
        {
            File.CreateSymbolicLink(Path.Combine(Image, "bin", applet), "busybox");
        }

        File.WriteAllText(Path.Combine(Image, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1234:2345:Web:/home/web:/bin/ash\n");
        File.WriteAllText(Path.Combine(Image, "etc/group"), "root:x:0:\nstaff:x:3456:\n");
    }

    public string Root { get; }

    public string Image { get; }

    public NspawnStage1 Stage1 { get; } = new();

    /// <summary>The stage1 tree; there once a pod was started.</summary>
    public string Tree => Assert.Single(Directory.EnumerateDirectories(Path.Combine(Root, "stage1"), "nspawn-*"));

    public void Dispose()
    {
        Stage1.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
