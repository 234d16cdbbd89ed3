using System.Text;
using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>
/// Reads a directory on systems other than Linux: types, contents, link targets and, where there are such, modes.
/// Everything belongs to root.
/// </summary>
internal sealed class PortableTreeSource(string directory, CancellationToken cancellationToken) : ITreeSource
{
    private const uint DirectoryMode = 0x1ed;
    private const uint FileMode = 0x1a4;
    private const uint LinkMode = 0x1ff;

    public void Walk(Action<TarEntry, Stream?> take) => WalkDirectory(new DirectoryInfo(directory), "rootfs", take);

    private void WalkDirectory(DirectoryInfo info, string name, Action<TarEntry, Stream?> take)
    {
        cancellationToken.ThrowIfCancellationRequested();
        take(Describe(info, name, TarEntryType.Directory, DirectoryMode), null);
        foreach (FileSystemInfo child in info.EnumerateFileSystemInfos().OrderBy(c => Encoding.UTF8.GetBytes(c.Name), ByteOrder.Instance))
        {
            string path = $"{name}/{child.Name}";
            if (child.LinkTarget is { } target)
            {
                TarEntry link = Describe(child, path, TarEntryType.SymbolicLink, LinkMode);
                link.LinkName = Encoding.UTF8.GetBytes(target.Replace('\\', '/'));
                take(link, null);
            }
            else if (child is DirectoryInfo next)
            {
                WalkDirectory(next, path, take);
            }
            else
            {
                using FileStream content = new(child.FullName, System.IO.FileMode.Open, FileAccess.Read, FileShare.Read, 0);
                TarEntry file = Describe(child, path, TarEntryType.File, FileMode);
                file.Length = content.Length;
                take(file, content);
            }
        }
    }

    private static TarEntry Describe(FileSystemInfo info, string name, TarEntryType type, uint mode)
    {
        TimeSpan since = info.LastWriteTimeUtc - DateTime.UnixEpoch;
        long seconds = (long)Math.Floor(since.TotalSeconds);
        return new TarEntry
        {
            Type = type,
            Name = Encoding.UTF8.GetBytes(name),
            Mode = OperatingSystem.IsWindows() || type == TarEntryType.SymbolicLink ? mode : (uint)info.UnixFileMode & 0xfff,
            ModifyTime = new TarTime(seconds, (int)(since.Ticks - (seconds * TimeSpan.TicksPerSecond)) * 100),
        };
    }
}
