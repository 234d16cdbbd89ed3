using System.Text;

namespace Appc.Metadata;

/// <summary>Reads forms of the type <c>application/x-www-form-urlencoded</c>. Values are bytes: what is signed need not be text.</summary>
internal static class FormFields
{
    public const string ContentType = "application/x-www-form-urlencoded";

    /// <summary>The fields by name; null if it is not such a form, or names a field twice.</summary>
    public static IReadOnlyDictionary<string, byte[]>? TryRead(ReadOnlySpan<byte> form)
    {
        Dictionary<string, byte[]> fields = new(StringComparer.Ordinal);
        foreach (Range range in form.Split((byte)'&'))
        {
            ReadOnlySpan<byte> field = form[range];
            if (field.IsEmpty)
            {
                continue;
            }

            int equals = field.IndexOf((byte)'=');
            if (Decode(equals < 0 ? field : field[..equals]) is not { } name
                || Decode(equals < 0 ? [] : field[(equals + 1)..]) is not { } value
                || !fields.TryAdd(Encoding.UTF8.GetString(name), value))
            {
                return null;
            }
        }

        return fields;
    }

    private static byte[]? Decode(ReadOnlySpan<byte> text)
    {
        byte[] bytes = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                bytes[length++] = text[i] == '+' ? (byte)' ' : text[i];
            }
            else if (i + 2 < text.Length && Digit(text[i + 1]) is >= 0 and int high && Digit(text[i + 2]) is >= 0 and int low)
            {
                bytes[length++] = (byte)((high << 4) | low);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return bytes[..length];
    }

    private static int Digit(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
