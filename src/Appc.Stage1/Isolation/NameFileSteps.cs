using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>
/// Writes the files by which programs find names of hosts into the layer of an app's own, through the mounted root: the
/// image stays as it is. Before any process of the pod runs.
/// </summary>
internal static class NameFileSteps
{
    private const uint Readable = 0x1a4;
    private const uint Executable = 0x1ed;

    /// <summary>Adds the steps.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="options">The pod's options, as they are in effect.</param>
    /// <param name="hostname">The pod's host name.</param>
    /// <param name="image">The app's image.</param>
    /// <param name="root">Descriptor of the app's mounted root.</param>
    /// <param name="owner">The host's id of the pod's root.</param>
    internal static void Add(LaunchPlan plan, Stage1Options options, string hostname, ImageTree image, LaunchArgument root, uint owner)
    {
        Libc.Statx? etc = image.Stat("/etc");
        LaunchArgument? directory = null;
        foreach ((string name, byte[] content) in FilesFor(options, hostname, image, etc))
        {
            string step = "write /etc/" + name;
            if (directory is null)
            {
                if (etc is null)
                {
                    plan.Call(step, SystemCall.MkdirAt, root, plan.Text("etc"), Executable, tolerated: LibC.EEXIST);
                    plan.Call(step, SystemCall.FchownAt, root, plan.Text("etc"), owner, owner, Libc.AT_SYMLINK_NOFOLLOW);
                }

                directory = plan.OpenInRoot(step, root, "/etc", LibC.O_PATH | Libc.O_DIRECTORY);
            }

            if (image.HasEntry("/etc", name))
            {
                // A new file in any case: what the image has may be a link to anywhere, or shared by hard links.
                plan.Call(step, SystemCall.UnlinkAt, directory.Value, plan.Text(name), 0, tolerated: LibC.ENOENT);
            }

            LaunchArgument file = plan.Call(
                step, SystemCall.OpenAt, directory.Value, plan.Text(name), LibC.O_WRONLY | LibC.O_CREAT | LibC.O_EXCL | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, Readable);
            plan.Call(step, SystemCall.Write, file, plan.Bytes(content), content.Length);
            plan.Close(step, file);
            if (owner != 0)
            {
                plan.Call(step, SystemCall.FchownAt, directory.Value, plan.Text(name), owner, owner, Libc.AT_SYMLINK_NOFOLLOW);
            }
        }
    }

    /// <summary>Paths in the app's root of the files that it is given.</summary>
    internal static IReadOnlyList<string> PathsFor(Stage1Options options, string hostname, ImageTree image) =>
        FilesFor(options, hostname, image, image.Stat("/etc")).Select(f => "/etc/" + f.Name).ToArray();

    private static IEnumerable<(string Name, byte[] Content)> FilesFor(Stage1Options options, string hostname, ImageTree image, Libc.Statx? etc)
    {
        if (etc is { } other && other.Type != Libc.S_IFDIR)
        {
            // Whatever such an image is for, it looks up no names.
            return [];
        }

        (string Name, byte[]? Content)[] files =
        [
            ("hosts", NameFiles.Hosts(options, hostname, Has(image, "/etc/hosts"))),
            ("resolv.conf", NameFiles.Resolver(options, Has(image, "/etc/resolv.conf"))),
            ("hostname", NameFiles.Hostname(hostname, Has(image, "/etc/hostname"))),
        ];
        return files.Where(f => f.Content is not null).Select(f => (f.Name, f.Content!));
    }

    /// <summary>Whether a file says something: tools that flatten images leave empty ones.</summary>
    private static bool Has(ImageTree image, string path) => image.Stat(path) is { } stat && (stat.Type != Libc.S_IFREG || stat.Size > 0);
}
