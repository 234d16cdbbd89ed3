using System.Globalization;
using System.Text;

namespace Appc.Images.Tar;

/// <summary>
/// Writes ustar headers, with a PAX header before those that ustar cannot hold. The same entries give the same bytes
/// everywhere: no user names, no access times, nothing of the machine.
/// </summary>
internal sealed class TarWriter(Stream output)
{
    private const long LargestOctal7 = 0x1fffff;
    private const long LargestOctal11 = 0x1_ffff_ffff;
    private const int NameBytes = 100;
    private const int PrefixBytes = 155;

    private readonly byte[] _header = new byte[TarFormat.BlockSize];

    /// <summary>Writes an entry's headers. A regular file's content follows by <see cref="WriteContent"/>.</summary>
    public void WriteHeader(TarEntry entry)
    {
        long size = entry.Type == TarEntryType.File ? entry.Length : 0;
        byte[] name = entry.Type == TarEntryType.Directory ? [.. entry.Name, (byte)'/'] : entry.Name;
        bool fits = TrySplit(name, out int split);
        byte[] records = ExtendedRecords(entry, name, fits, size);
        if (records.Length > 0 && split > 0)
        {
            // Some readers (System.Formats.Tar) do not look at ustar's second name field where there is a PAX header.
            fits = false;
            records = ExtendedRecords(entry, name, fits, size);
        }

        long seconds = entry.ModifyTime.Seconds is >= 0 and <= LargestOctal11 ? entry.ModifyTime.Seconds : 0;
        if (records.Length > 0)
        {
            Begin(Cut([.. "PaxHeaders/"u8, .. name.AsSpan(name.AsSpan().TrimEnd((byte)'/').LastIndexOf((byte)'/') + 1)]), -1);
            Finish(TarFormat.PaxLocal, 0x1a4, 0, 0, records.Length, seconds);
            WriteContent(records);
            Pad(records.Length);
        }

        Begin(fits ? name : Cut(name), fits ? split : -1);
        entry.LinkName.AsSpan(0, Math.Min(NameBytes, entry.LinkName.Length)).CopyTo(_header.AsSpan(TarFormat.LinkName));
        if (entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
        {
            Octal(TarFormat.DeviceMajor, entry.DeviceMajor);
            Octal(TarFormat.DeviceMinor, entry.DeviceMinor);
        }

        Finish(Flag(entry.Type), entry.Mode, Fit(entry.Uid), Fit(entry.Gid), size <= LargestOctal11 ? size : 0, seconds);
    }

    /// <summary>Writes some of the content of the entry whose header was written last.</summary>
    public void WriteContent(ReadOnlySpan<byte> data) => output.Write(data);

    /// <summary>Ends an entry's content.</summary>
    public void Pad(long size)
    {
        int padding = (int)(-size & (TarFormat.BlockSize - 1));
        output.Write(new byte[TarFormat.BlockSize].AsSpan(0, padding));
    }

    /// <summary>Writes the two blocks that end an archive.</summary>
    public void Complete() => output.Write(new byte[2 * TarFormat.BlockSize]);

    private static byte[] ExtendedRecords(TarEntry entry, byte[] name, bool fits, long size)
    {
        using MemoryStream records = new();
        if (!fits)
        {
            Record(records, "path"u8, name);
        }

        if (entry.LinkName.Length > NameBytes)
        {
            Record(records, "linkpath"u8, entry.LinkName);
        }

        if (size > LargestOctal11)
        {
            Record(records, "size"u8, Digits(size));
        }

        if (entry.Uid > LargestOctal7)
        {
            Record(records, "uid"u8, Digits(entry.Uid));
        }

        if (entry.Gid > LargestOctal7)
        {
            Record(records, "gid"u8, Digits(entry.Gid));
        }

        TarTime time = entry.ModifyTime;
        if (time.Nanoseconds != 0 || time.Seconds is < 0 or > LargestOctal11)
        {
            Record(records, "mtime"u8, Encoding.ASCII.GetBytes(Text(time)));
        }

        foreach (TarAttribute attribute in entry.Attributes.OrderBy(a => a.Name, ByteOrder.Instance))
        {
            Record(records, [.. "SCHILY.xattr."u8, .. attribute.EncodeName()], attribute.Value);
        }

        return records.ToArray();
    }

    private static string Text(TarTime time)
    {
        // -1.25 is stored as -2 seconds and 0.75.
        (long seconds, int nanoseconds, string sign) = time is { Seconds: < 0, Nanoseconds: > 0 }
            ? (-(time.Seconds + 1), 1_000_000_000 - time.Nanoseconds, "-")
            : (Math.Abs(time.Seconds), time.Nanoseconds, time.Seconds < 0 ? "-" : "");
        string text = string.Create(CultureInfo.InvariantCulture, $"{sign}{seconds}.{nanoseconds:d9}");
        return text.TrimEnd('0').TrimEnd('.');
    }

    private static void Record(MemoryStream records, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // The length counts its own digits.
        int rest = key.Length + value.Length + 3;
        int length = rest + 1;
        while (length != rest + Digits(length).Length)
        {
            length = rest + Digits(length).Length;
        }

        records.Write(Digits(length));
        records.WriteByte((byte)' ');
        records.Write(key);
        records.WriteByte((byte)'=');
        records.Write(value);
        records.WriteByte((byte)'\n');
    }

    /// <summary>Whether a name fits ustar's two fields, and at which slash it is split (-1: not at all).</summary>
    private static bool TrySplit(byte[] name, out int split)
    {
        split = -1;
        if (name.Length <= NameBytes)
        {
            return true;
        }

        for (int i = Math.Min(PrefixBytes, name.Length - 2); i > 0; i--)
        {
            if (name[i] == (byte)'/' && name.Length - i - 1 <= NameBytes)
            {
                split = i;
                return true;
            }
        }

        return false;
    }

    private static byte[] Cut(byte[] name) => name.Length <= NameBytes ? name : name[..NameBytes];

    private static byte[] Digits(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    private static long Fit(uint id) => id <= LargestOctal7 ? id : 0;

    private void Begin(byte[] name, int split)
    {
        Array.Clear(_header);
        name.AsSpan(split + 1).CopyTo(_header.AsSpan(TarFormat.Name));
        if (split > 0)
        {
            name.AsSpan(0, split).CopyTo(_header.AsSpan(TarFormat.Prefix));
        }

        TarFormat.PosixMagic.CopyTo(_header.AsSpan(TarFormat.Magic));
        "00"u8.CopyTo(_header.AsSpan(TarFormat.Version));
    }

    private void Finish(byte flag, uint mode, long uid, long gid, long size, long seconds)
    {
        _header[TarFormat.TypeFlag] = flag;
        Octal(TarFormat.Mode, mode);
        Octal(TarFormat.Uid, uid);
        Octal(TarFormat.Gid, gid);
        Octal(TarFormat.Size, size);
        Octal(TarFormat.ModifyTime, seconds);
        _header.AsSpan(TarFormat.Checksum).Fill((byte)' ');
        int sum = 0;
        foreach (byte b in _header)
        {
            sum += b;
        }

        Octal(148..155, sum);
        output.Write(_header);
    }

    private void Octal(Range field, long value)
    {
        Span<byte> bytes = _header.AsSpan(field)[..^1];
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            bytes[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    private static byte Flag(TarEntryType type) => type switch
    {
        TarEntryType.File => TarFormat.File,
        TarEntryType.HardLink => TarFormat.HardLink,
        TarEntryType.SymbolicLink => TarFormat.SymbolicLink,
        TarEntryType.CharacterDevice => TarFormat.CharacterDevice,
        TarEntryType.BlockDevice => TarFormat.BlockDevice,
        TarEntryType.Directory => TarFormat.Directory,
        _ => TarFormat.Fifo,
    };
}
