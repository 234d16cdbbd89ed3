using Appc.Linux;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Volumes;

/// <summary>Says why the kernel refuses a volume.</summary>
internal static class VolumeFaults
{
    private const string Systems = "Id-mapped mounts are known to ext4, xfs, btrfs, and others by the kernel's version: tmpfs since Linux 6.3.";

    // More than these are not read by anybody.
    private const int MostListed = 4;

    // They are not what is at fault, unless the kernel is old.
    private static readonly string[] Usual = ["ext4", "xfs", "btrfs", "tmpfs"];

    /// <summary>The owners of the files cannot be mapped.</summary>
    internal static LaunchException Unmapped(LaunchException e, AppMount mount)
    {
        if (mount.Source is not { } source)
        {
            return new LaunchException(e.Step, e.Errno, e.Message, Systems, e);
        }

        MountEntry[] all = [.. MountTable.Read()];
        MountEntry[] meant =
            [.. all.Where(m => MountPath.IsIn(source, m.Point)).OrderByDescending(m => m.Point.Length).Take(1), .. mount.Recursive ? all.Where(m => m.Point != source && MountPath.IsIn(m.Point, source)) : []];
        bool several = meant.Length > 1;
        MountEntry[] odd = [.. meant.Where(m => !Usual.Contains(m.Type))];
        meant = [.. (odd.Length > 0 ? odd : meant.Take(1)).Take(MostListed)];
        string what = e.Errno == Errno.EPERM ? "they are mapped already" : "not all of these file systems can map ids";
        return new LaunchException(
            e.Step, e.Errno, Printable.Text($"{e.Message}: {what} ({string.Join(", ", meant.Select(m => $"{m.Point}: {m.Type}"))})"),
            several ? "Leave out what is mounted below the source by recursive=false. " + Systems : Systems + " Without a user namespace (PrivateUsers) nothing is mapped.", e);
    }
}
