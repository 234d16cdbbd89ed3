using Appc.Linux;

namespace Appc.Images;

/// <summary>How much disk space goes free when a directory is removed.</summary>
internal static unsafe class DiskUsage
{
    private const long BlockBytes = 512;

    /// <summary>Bytes of all files below a directory that have no hard link outside of it.</summary>
    public static long Measure(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
        }

        using Fd top = Fd.OpenDirectory(directory);
        Dictionary<(uint, uint, ulong), uint> links = [];
        return (Measure(top, links) + (long)top.Stat().Blocks) * BlockBytes;
    }

    private static long Measure(Fd directory, Dictionary<(uint, uint, ulong), uint> links)
    {
        long blocks = 0;
        foreach ((byte[] name, _) in DirectoryReader.Read(directory))
        {
            fixed (byte* n = name)
            {
                if (Libc.StatAt(directory.Number, n, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat) < 0)
                {
                    continue;
                }

                if (stat.Type == Libc.S_IFDIR)
                {
                    using Fd? child = Fd.TryOpenDirectory(directory, name);
                    blocks += (long)stat.Blocks + (child is null ? 0 : Measure(child, links));
                }
                else if (IsLastLink(stat, links))
                {
                    blocks += (long)stat.Blocks;
                }
            }
        }

        return blocks;
    }

    private static bool IsLastLink(Libc.Statx stat, Dictionary<(uint, uint, ulong), uint> links)
    {
        if (stat.Links < 2)
        {
            return true;
        }

        (uint, uint, ulong) key = (stat.DevMajor, stat.DevMinor, stat.Inode);
        links[key] = links.GetValueOrDefault(key) + 1;
        return links[key] == stat.Links;
    }
}
