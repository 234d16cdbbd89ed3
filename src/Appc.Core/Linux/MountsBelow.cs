using System.Text;
using System.Text.RegularExpressions;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Mounts of this process's namespace in a directory.</summary>
internal static partial class MountsBelow
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
        List<string> points = [.. File.ReadLines("/proc/self/mountinfo", Encoding.UTF8)
            .Where(line => line.Contains(name, StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .Where(fields => fields.Length > 4)
            .Select(fields => Escape().Replace(fields[4], m => ((char)Convert.ToInt32(m.Groups[1].Value, 8)).ToString()))
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

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Escape();
}
