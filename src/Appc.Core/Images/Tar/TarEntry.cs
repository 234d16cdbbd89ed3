namespace Appc.Images.Tar;

/// <summary>One entry of an archive, with all extended headers applied. Names are bytes as they stand in the archive.</summary>
internal sealed class TarEntry
{
    public TarEntryType Type { get; set; }

    public byte[] Name { get; set; } = [];

    /// <summary>Target of a symbolic or hard link; empty for others.</summary>
    public byte[] LinkName { get; set; } = [];

    /// <summary>The twelve mode bits.</summary>
    public uint Mode { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public TarTime ModifyTime { get; set; }

    public uint DeviceMajor { get; set; }

    public uint DeviceMinor { get; set; }

    /// <summary>Bytes that the archive holds for this entry.</summary>
    public long StoredSize { get; set; }

    /// <summary>Length of the file; differs from <see cref="StoredSize"/> for sparse ones.</summary>
    public long Length { get; set; }

    /// <summary>Where the data of a sparse file lies, in order; null for others.</summary>
    public IReadOnlyList<TarSegment>? Segments { get; set; }

    public IReadOnlyList<TarAttribute> Attributes { get; set; } = [];

    /// <summary>Offset of the entry's own header in the uncompressed archive.</summary>
    public long Offset { get; set; }

    /// <summary>The name for messages.</summary>
    public string ShownName => ByteText.Show(Name);
}
