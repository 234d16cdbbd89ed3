using System.Buffers.Binary;

namespace Appc.Images.Tar;

/// <summary>Numbers of headers: octal text, or base 256 with the top bit set; and the decimal ones of extended headers.</summary>
internal static class TarNumber
{
    /// <summary>Reads a header's field. An empty one counts as zero, as old programs left fields blank.</summary>
    public static bool TryParse(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0)
        {
            return TryParseBase256(field, out value);
        }

        int i = 0;
        while (i < field.Length && field[i] is (byte)' ' or 0)
        {
            i++;
        }

        int start = i;
        for (; i < field.Length && field[i] is >= (byte)'0' and <= (byte)'7'; i++)
        {
            value = (value << 3) | (uint)(field[i] - '0');
        }

        if (start > 0 && i > start && field[..start].Contains((byte)0))
        {
            return false;
        }

        return field[i..].IndexOfAnyExcept((byte)' ', (byte)0) < 0;
    }

    /// <summary>Reads a decimal whole number, which may be negative.</summary>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value)
    {
        bool parsed = System.Buffers.Text.Utf8Parser.TryParse(text, out value, out int used);
        return parsed && used == text.Length && text[0] != (byte)'+';
    }

    /// <summary>Reads seconds with a fraction, such as <c>-1.5</c>; digits beyond nanoseconds are cut.</summary>
    public static bool TryParseTime(ReadOnlySpan<byte> text, out TarTime time)
    {
        time = default;
        int dot = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = dot < 0 ? text : text[..dot];
        if (whole.IsEmpty || !TryParseDecimal(whole, out long seconds))
        {
            return false;
        }

        int nanoseconds = 0;
        if (dot >= 0)
        {
            ReadOnlySpan<byte> fraction = text[(dot + 1)..];
            if (fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            {
                return false;
            }

            for (int i = 0; i < 9; i++)
            {
                nanoseconds = (nanoseconds * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
            }
        }

        if (whole[0] == (byte)'-' && nanoseconds > 0)
        {
            if (seconds == long.MinValue)
            {
                return false;
            }

            seconds--;
            nanoseconds = 1_000_000_000 - nanoseconds;
        }

        time = new TarTime(seconds, nanoseconds);
        return true;
    }

    private static bool TryParseBase256(ReadOnlySpan<byte> field, out long value)
    {
        // Two's complement over all bits but the marker; the sign is the second bit.
        bool negative = (field[0] & 0x40) != 0;
        Span<byte> bytes = stackalloc byte[12];
        bytes = bytes[..field.Length];
        field.CopyTo(bytes);
        bytes[0] = (byte)(negative ? bytes[0] | 0x80 : bytes[0] & 0x7f);
        value = 0;
        int extra = bytes.Length - 8;
        if (extra > 0 && bytes[..extra].IndexOfAnyExcept(negative ? (byte)0xff : (byte)0) >= 0)
        {
            return false;
        }

        value = BinaryPrimitives.ReadInt64BigEndian(bytes[extra..]);
        return value < 0 == negative;
    }
}
