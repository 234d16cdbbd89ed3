namespace Appc.Images.Tar;

/// <content>One entry: header, extended headers and GNU's long names put together.</content>
internal sealed partial class TarReader
{
    private TarEntry ReadEntry(byte flag, PaxRecords local, byte[]? longName, byte[]? longLink)
    {
        bool posix = _header.AsSpan(TarFormat.Magic).SequenceEqual(TarFormat.PosixMagic);
        byte[] name = (local.IsSparse ? local.SparseName : null) ?? local.Path ?? longName ?? HeaderName(posix);
        EntryName = name;
        long size = local.Size ?? Number(TarFormat.Size, "size");
        if (name.Length > _limits.PathBytes)
        {
            throw Limit($"the name of an entry is longer than {_limits.PathBytes} bytes: {ByteText.Show(name)}");
        }

        if (size < 0)
        {
            throw Bad($"entry '{ByteText.Show(name)}' has a negative size");
        }

        local.AddDefaults(_global);
        TarEntry entry = new()
        {
            Type = TypeOf(flag, name),
            Name = name,
            Mode = (uint)Number(TarFormat.Mode, "mode") & 0xfff,
            Uid = Owner(local.Uid ?? Number(TarFormat.Uid, "owner"), name),
            Gid = Owner(local.Gid ?? Number(TarFormat.Gid, "group"), name),
            ModifyTime = local.ModifyTime ?? new TarTime(Number(TarFormat.ModifyTime, "time"), 0),
            Attributes = local.Attributes,
        };
        if (entry.Type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
        {
            entry.LinkName = local.LinkPath ?? longLink ?? Text(_header.AsSpan(TarFormat.LinkName)).ToArray();
            if (entry.LinkName.Length > _limits.PathBytes)
            {
                throw Limit($"the link target of entry '{entry.ShownName}' is longer than {_limits.PathBytes} bytes");
            }
        }

        if (entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
        {
            entry.DeviceMajor = DeviceNumber(TarFormat.DeviceMajor, name);
            entry.DeviceMinor = DeviceNumber(TarFormat.DeviceMinor, name);
        }

        ReadSize(entry, flag, size, local);
        return entry;
    }

    private void ReadSize(TarEntry entry, byte flag, long size, PaxRecords local)
    {
        if (entry.Type == TarEntryType.HardLink)
        {
            // Some writers repeat the target's size; the data is never there.
            size = 0;
        }

        if (entry.Type != TarEntryType.File && size != 0)
        {
            throw Bad($"entry '{entry.ShownName}' is no regular file and yet claims content; readers differ on what follows");
        }

        entry.StoredSize = size;
        entry.Length = size;
        if (size > _limits.ExpandedBytes - _expanded)
        {
            throw Limit($"entry '{entry.ShownName}' takes it beyond {_limits.ExpandedBytes} bytes");
        }

        BeginData(size);
        if (entry.Type == TarEntryType.File)
        {
            ReadSparse(entry, flag, local);
        }

        _expanded += entry.Length;
        if (_expanded > _limits.ExpandedBytes)
        {
            throw Limit($"entry '{entry.ShownName}' takes it beyond {_limits.ExpandedBytes} bytes");
        }
    }

    private static TarEntryType TypeOf(byte flag, byte[] name) => flag switch
    {
        // Before there was a flag for directories, a slash at the end made one.
        TarFormat.OldFile => name is [.., (byte)'/'] ? TarEntryType.Directory : TarEntryType.File,
        TarFormat.File or TarFormat.Contiguous or TarFormat.GnuSparse => TarEntryType.File,
        TarFormat.HardLink => TarEntryType.HardLink,
        TarFormat.SymbolicLink => TarEntryType.SymbolicLink,
        TarFormat.CharacterDevice => TarEntryType.CharacterDevice,
        TarFormat.BlockDevice => TarEntryType.BlockDevice,
        TarFormat.Directory => TarEntryType.Directory,
        TarFormat.Fifo => TarEntryType.Fifo,
        _ => throw Bad($"entry '{ByteText.Show(name)}' has the unknown type {ByteText.Show([flag])}"),
    };

    private byte[] HeaderName(bool posix)
    {
        ReadOnlySpan<byte> name = Text(_header.AsSpan(TarFormat.Name));
        ReadOnlySpan<byte> prefix = posix ? Text(_header.AsSpan(TarFormat.Prefix)) : default;
        return prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    // The largest number stands for "leave as it is" in chown, and larger ones must not be cut to 32 bits.
    private static uint Owner(long number, byte[] name) => number is >= 0 and < uint.MaxValue
        ? (uint)number
        : throw Bad($"entry '{ByteText.Show(name)}' has an owner or group out of range: {number}");

    private uint DeviceNumber(Range field, byte[] name)
    {
        long number = Number(field, "device number");
        long largest = field.Equals(TarFormat.DeviceMajor) ? 0xfff : 0xfffff;
        return number >= 0 && number <= largest
            ? (uint)number
            : throw Bad($"entry '{ByteText.Show(name)}' has a device number that Linux cannot hold: {number}");
    }

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
