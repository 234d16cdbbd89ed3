using System.Buffers.Binary;
using Appc.Images.Tar;

namespace Appc.Images.Extraction;

/// <summary>
/// Remembers modes and times of directories until the tree is whole, for writing into a directory changes its time.
/// Beyond a few megabytes it goes on in a file, so that no image can fill the memory with it.
/// </summary>
internal sealed class DirectoryJournal(string spillDirectory) : IDisposable
{
    private const int MemoryBytes = 4 << 20;
    private const int FixedBytes = 20;

    private readonly byte[] _fixed = new byte[FixedBytes];
    private Stream _records = new MemoryStream();

    /// <summary>A directory's final mode and time.</summary>
    internal readonly record struct Item(byte[] Path, uint Mode, TarTime Time, bool Implied);

    public void Add(ReadOnlySpan<byte> path, uint mode, TarTime time, bool implied)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_fixed, path.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(_fixed.AsSpan(4), mode | (implied ? 0x8000_0000 : 0));
        BinaryPrimitives.WriteInt64LittleEndian(_fixed.AsSpan(8), time.Seconds);
        BinaryPrimitives.WriteInt32LittleEndian(_fixed.AsSpan(16), time.Nanoseconds);
        _records.Write(_fixed);
        _records.Write(path);
        if (_records is MemoryStream && _records.Length > MemoryBytes)
        {
            Spill();
        }
    }

    /// <summary>The records in the order in which they came.</summary>
    public IEnumerable<Item> Read()
    {
        _records.Position = 0;
        while (_records.ReadAtLeast(_fixed, FixedBytes, throwOnEndOfStream: false) == FixedBytes)
        {
            byte[] path = new byte[BinaryPrimitives.ReadInt32LittleEndian(_fixed)];
            uint mode = BinaryPrimitives.ReadUInt32LittleEndian(_fixed.AsSpan(4));
            TarTime time = new(BinaryPrimitives.ReadInt64LittleEndian(_fixed.AsSpan(8)), BinaryPrimitives.ReadInt32LittleEndian(_fixed.AsSpan(16)));
            _records.ReadExactly(path);
            yield return new Item(path, mode & 0xfff, time, (mode & 0x8000_0000) != 0);
        }
    }

    public void Dispose() => _records.Dispose();

    private void Spill()
    {
        FileStream file = new(Path.Combine(spillDirectory, "directories"), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.DeleteOnClose,
            BufferSize = 64 << 10,
        });
        ((MemoryStream)_records).WriteTo(file);
        _records.Dispose();
        _records = file;
    }
}
