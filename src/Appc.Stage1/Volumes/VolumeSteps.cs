using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Volumes;

/// <summary>Steps of a launch that are the same for all flavours.</summary>
internal static class VolumeSteps
{
    internal const uint Executable = 0x1ed;
    private const uint Readable = 0x1a4;

    /// <summary>Options of a file system in memory for a volume.</summary>
    internal static string MemoryOptions(AppMount mount) => string.Create(
        CultureInfo.InvariantCulture, $"size={mount.MemorySize},mode={Convert.ToString(mount.Mode, 8)},uid={mount.Uid},gid={mount.Gid}");

    /// <summary>
    /// Opens an empty volume, or the directory in it that the app gets, and makes what is to be there: that directory, and
    /// places for other mounts. Others may be at work in the volume already; no link of theirs is followed.
    /// </summary>
    internal static LaunchArgument OpenEmpty(this LaunchPlan plan, AppMount mount, string root)
    {
        LaunchArgument directory = plan.OpenWithoutLinks(mount.OpenStep, root, LibC.O_PATH | Libc.O_DIRECTORY);
        directory = MakeAndOpen(plan, mount.OpenStep, directory, mount.SubPath);
        foreach ((string[] names, bool isDirectory) in mount.Inner)
        {
            LaunchArgument parent = MakeAndOpen(plan, mount.OpenStep, directory, names[..^1]);
            plan.MakePlaceAt(mount.OpenStep, parent, names[^1], isDirectory);
        }

        return directory;
    }

    /// <summary>Makes a place to mount something over; one that is there already is as good.</summary>
    internal static void MakePlaceAt(this LaunchPlan plan, string step, LaunchArgument parent, string name, bool isDirectory)
    {
        if (isDirectory)
        {
            plan.MakeDirectoryAt(step, parent, name, Executable);
        }
        else
        {
            plan.MakeFileAt(step, parent, name, Readable);
        }
    }

    private static LaunchArgument MakeAndOpen(LaunchPlan plan, string step, LaunchArgument directory, IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            plan.MakeDirectoryAt(step, directory, name, Executable);
            directory = plan.OpenBeneath(step, directory, name, LibC.O_PATH | Libc.O_DIRECTORY);
        }

        return directory;
    }
}
