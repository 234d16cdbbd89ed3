using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Mounts of this process's namespace in a directory.</summary>
internal static class MountsBelow
{
    /// <summary>Takes the mounts in a directory away, the innermost first, so that what is mounted is not removed with it.</summary>
    /// <param name="directory">The directory, the last part of which is a name that the kernel writes as it is, such as a UUID.</param>
    /// <returns>How many there were.</returns>
    internal static unsafe int Detach(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        // Most lines are of other mounts, and a host may have many.
        string prefix = directory.TrimEnd('/') + "/";
        string name = $"/{Path.GetFileName(directory.TrimEnd('/'))}/";
        List<string> points = [.. MountTable.Read(line => line.Contains(name, StringComparison.Ordinal))
            .Select(mount => mount.Point)
            .Where(point => point.StartsWith(prefix, StringComparison.Ordinal))];
        points.Reverse();
        foreach (string point in points)
        {
            const int DoNotFollow = 8;
            fixed (byte* path = Fd.PathBytes(point))
            {
                if (LibC.umount2(path, LibC.MNT_DETACH | DoNotFollow) != 0 && LibC.errno is not (Errno.EINVAL or Errno.ENOENT))
                {
                    throw new ErrnoException($"unmount {point}", LibC.errno);
                }
            }
        }

        return points.Count;
    }
}
