using System.Buffers.Binary;

namespace Appc.Images.Compression;

/// <summary>
/// xz, every stream of the file, without a native library: the container (tukaani.org/xz/xz-file-format.txt) with all
/// its checksums and its index, and LZMA2. Other filters, which nobody uses for archives, are refused.
/// </summary>
internal sealed class ManagedXzDecompressor : IDecompressor
{
    // As much as liblzma is allowed; xz -9 has 64 MiB.
    private const uint LargestDictionary = 96u << 20;
    private const int HeaderBytes = 12;
    private const ulong Lzma2Filter = 0x21;

    private readonly XzInput _input;
    private XzCheck? _check;
    private XzIndex? _index;
    private readonly Lzma2Decoder _block;
    private bool _inBlock;
    private byte _kind;
    private int _headerSize;
    private ulong? _statedCompressed;
    private ulong? _statedUncompressed;
    private ulong _uncompressed;
    private bool _done;

    public ManagedXzDecompressor(ArchiveInput input)
    {
        _input = new XzInput(input);
        _block = new Lzma2Decoder(_input);
        BeginStream();
    }

    public string Name => "xz";

    public int Read(Span<byte> buffer)
    {
        while (!_done && !buffer.IsEmpty)
        {
            if (!_inBlock)
            {
                BeginBlockOrEnd();
                continue;
            }

            int length = _block.Read(buffer);
            if (length > 0)
            {
                _uncompressed += (ulong)length;
                _check!.Append(buffer[..length]);
                return length;
            }

            EndBlock();
        }

        return 0;
    }

    public void Dispose()
    {
        _check?.Dispose();
        _index?.Dispose();
    }

    private void BeginStream()
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        _input.Take(header);
        if (header[0] != 0xfd || !header[1..7].SequenceEqual("7zXZ\0\0"u8) || (header[7] & 0xf0) != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) != Crc32.Append(0, header[6..8]))
        {
            throw XzFaults.Damaged();
        }

        _kind = header[7];
        _check?.Dispose();
        _index?.Dispose();
        _check = new XzCheck(_kind);
        _index = new XzIndex();
    }

    private void BeginBlockOrEnd()
    {
        _input.Count = 0;
        _input.Crc = 0;
        int size = _input.TakeSummed();
        if (size == 0)
        {
            EndStream(_index!.Check(_input));
            return;
        }

        _headerSize = (size + 1) * 4;
        int flags = _input.TakeSummed();
        _statedCompressed = (flags & 0x40) != 0 ? _input.TakeNumber() : null;
        _statedUncompressed = (flags & 0x80) != 0 ? _input.TakeNumber() : null;
        if ((flags & 0x3c) != 0)
        {
            throw XzFaults.Damaged();
        }

        ulong filter = _input.TakeNumber();
        bool known = (flags & 0x03) == 0 && filter == Lzma2Filter;
        if (known && _input.TakeNumber() != 1)
        {
            throw XzFaults.Damaged();
        }

        uint dictionary = known ? DictionarySize(_input.TakeSummed()) : 0;
        while (_input.Count < _headerSize - 4)
        {
            if (_input.TakeSummed() != 0 && known)
            {
                throw XzFaults.Damaged();
            }
        }

        if (_input.Count != _headerSize - 4)
        {
            throw XzFaults.Damaged();
        }

        _input.TakeCrc();
        if (!known)
        {
            throw XzFaults.Filter(filter);
        }

        if (dictionary > LargestDictionary)
        {
            throw XzFaults.Memory();
        }

        _block.Begin((int)dictionary);
        _inBlock = true;
        _uncompressed = 0;
    }

    private static uint DictionarySize(byte bits) => bits switch
    {
        > 40 => throw XzFaults.Damaged(),
        40 => uint.MaxValue,
        _ => (2u | (bits & 1u)) << ((bits / 2) + 11),
    };

    private void EndBlock()
    {
        ulong compressed = (ulong)(_input.Count - _headerSize);
        if ((_statedCompressed ?? compressed) != compressed || (_statedUncompressed ?? _uncompressed) != _uncompressed)
        {
            throw XzFaults.Damaged();
        }

        ulong unpadded = (ulong)(_input.Count + _check!.Size);
        _input.TakePadding();
        _check.Verify(_input);
        _index!.Add(unpadded, _uncompressed);
        _inBlock = false;
    }

    private void EndStream(long indexSize)
    {
        Span<byte> footer = stackalloc byte[HeaderBytes];
        _input.Take(footer);
        if (BinaryPrimitives.ReadUInt32LittleEndian(footer) != Crc32.Append(0, footer[4..10])
            || (BinaryPrimitives.ReadUInt32LittleEndian(footer[4..]) + 1L) * 4 != indexSize
            || footer[8] != 0 || footer[9] != _kind || !footer[10..].SequenceEqual("YZ"u8))
        {
            throw XzFaults.Damaged();
        }

        if (_input.SkipStreamPadding())
        {
            BeginStream();
        }
        else
        {
            _done = true;
        }
    }
}
