using System.Text;

namespace Appc.Images;

/// <summary>
/// One file, directory or other thing that goes into an image's tree: its metadata, and where its content comes from.
/// Make one with the methods named after its type, then set what differs from their defaults: owned by root, last
/// changed at the beginning of 1970.
/// </summary>
public sealed class AciEntry
{
    private const int DirectoryMode = 0x1ed;
    private const int FileMode = 0x1a4;
    private const int LinkMode = 0x1ff;

    private AciEntry(AciEntryType type, string path, int mode)
    {
        ArgumentNullException.ThrowIfNull(path);
        Type = type;
        Path = path;
        Mode = mode;
    }

    /// <summary>What it is.</summary>
    public AciEntryType Type { get; }

    /// <summary>
    /// Where it stands in the tree, such as <c>usr/bin/app</c>; a slash in front makes no difference. Empty or <c>/</c>
    /// for the tree's own directory. Bytes that are no UTF-8 show as U+FFFD.
    /// </summary>
    public string Path
    {
        get => Encoding.UTF8.GetString(PathBytes.Span);
        set => PathBytes = Encoding.UTF8.GetBytes(value);
    }

    /// <summary><see cref="Path"/> as bytes, for names that are no text.</summary>
    public ReadOnlyMemory<byte> PathBytes { get; set; }

    /// <summary>
    /// What a link leads to. For a symbolic link any text; for a hard link the path of a file of the same tree.
    /// Null for what is no link.
    /// </summary>
    public string? LinkTarget
    {
        get => LinkTargetBytes is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;
        set => LinkTargetBytes = value is null ? null : Encoding.UTF8.GetBytes(value);
    }

    /// <summary><see cref="LinkTarget"/> as bytes.</summary>
    public ReadOnlyMemory<byte>? LinkTargetBytes { get; set; }

    /// <summary>The twelve mode bits: permissions, set-user-id, set-group-id, sticky.</summary>
    /// <value>The default value is 0755 (octal) for directories, 0777 for symbolic links, 0644 for all others. A hard link has those of its file.</value>
    public int Mode { get; set; }

    /// <summary>The owner's number, below 4,294,967,295.</summary>
    /// <value>The default value is 0.</value>
    public long Uid { get; set; }

    /// <summary>The group's number, below 4,294,967,295.</summary>
    /// <value>The default value is 0.</value>
    public long Gid { get; set; }

    /// <summary>Time of the last change, kept to 100 nanoseconds.</summary>
    /// <value>The default value is the beginning of 1970, UTC.</value>
    public DateTimeOffset ModifyTime { get; set; } = DateTimeOffset.UnixEpoch;

    /// <summary>A device's major number, 0 to 4,095.</summary>
    public int DeviceMajor { get; set; }

    /// <summary>A device's minor number, 0 to 1,048,575.</summary>
    public int DeviceMinor { get; set; }

    /// <summary>Extended attributes by their names, such as <c>user.note</c> or <c>security.capability</c>.</summary>
    public IDictionary<string, byte[]> Attributes { get; } = new Dictionary<string, byte[]>(StringComparer.Ordinal);

    /// <summary>Length of a file's content, in bytes; null if the content's own stream says it.</summary>
    public long? Length { get; private init; }

    /// <summary>Opens a file's content.</summary>
    internal Func<Stream>? OpenContent { get; private init; }

    /// <summary>A regular file with this content.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="content">Its content.</param>
    public static AciEntry File(string path, byte[] content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return File(path, content.Length, () => new MemoryStream(content, writable: false));
    }

    /// <summary>A regular file whose content is that of a file here, read when the image is written. Nothing else is taken from it.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="sourceFile">The file to read.</param>
    public static AciEntry File(string path, string sourceFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(sourceFile);
        return new AciEntry(AciEntryType.File, path, FileMode)
        {
            OpenContent = () => new FileStream(sourceFile, System.IO.FileMode.Open, FileAccess.Read, FileShare.Read, 0),
        };
    }

    /// <summary>A regular file whose content is supplied when the image is written.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="length">Length of the content in bytes, which is known before.</param>
    /// <param name="open">
    /// Opens the content; called once, on a thread of the writer, which closes the stream. From PowerShell give the
    /// content as bytes or as a file: a script block cannot run on that thread.
    /// </param>
    public static AciEntry File(string path, long length, Func<Stream> open)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentNullException.ThrowIfNull(open);
        return new AciEntry(AciEntryType.File, path, FileMode) { Length = length, OpenContent = open };
    }

    /// <summary>A directory.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    public static AciEntry Directory(string path) => new(AciEntryType.Directory, path, DirectoryMode);

    /// <summary>A symbolic link.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="target">What it leads to; any text.</param>
    public static AciEntry SymbolicLink(string path, string target) => new(AciEntryType.SymbolicLink, path, LinkMode) { LinkTarget = target };

    /// <summary>Another name of a file. Owner, mode, time and attributes are the file's.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="target">The file's path in the tree.</param>
    public static AciEntry HardLink(string path, string target) => new(AciEntryType.HardLink, path, FileMode) { LinkTarget = target };

    /// <summary>A device.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    /// <param name="block">Whether it is a block device; otherwise it is a character device.</param>
    /// <param name="major">Its major number.</param>
    /// <param name="minor">Its minor number.</param>
    public static AciEntry Device(string path, bool block, int major, int minor) =>
        new(block ? AciEntryType.BlockDevice : AciEntryType.CharacterDevice, path, FileMode) { DeviceMajor = major, DeviceMinor = minor };

    /// <summary>A named pipe.</summary>
    /// <param name="path">Where it stands in the tree.</param>
    public static AciEntry Fifo(string path) => new(AciEntryType.Fifo, path, FileMode);
}
