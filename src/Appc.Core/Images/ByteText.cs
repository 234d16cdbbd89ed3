using System.Globalization;
using System.Text;

namespace Appc.Images;

/// <summary>Shows bytes from an archive in messages: never a control character, never endless.</summary>
internal static class ByteText
{
    private const int Longest = 160;

    public static string Show(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        bool cut = bytes.Length > Longest;
        ReadOnlySpan<byte> rest = cut ? bytes[..Longest] : bytes;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(rest, out Rune rune, out int used) == System.Buffers.OperationStatus.Done && IsPlain(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                foreach (byte b in rest[..used])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
                }
            }

            rest = rest[used..];
        }

        return cut ? text.Append('…').ToString() : text.ToString();
    }

    private static bool IsPlain(Rune rune) => rune.Value != '\\' && Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
