using System.Globalization;
using System.Text;

namespace Appc.Signing;

/// <summary>Makes text of strangers fit to be shown: no control characters, no reversed writing, no end-less lines.</summary>
internal static class CleanText
{
    private const int MaxLength = 256;

    public static string From(ReadOnlySpan<byte> utf8) => From(Encoding.UTF8.GetString(utf8.Length > MaxLength * 4 ? utf8[..(MaxLength * 4)] : utf8));

    public static string From(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (clean.Length >= MaxLength)
            {
                clean.Append('…');
                break;
            }

            bool shown = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate);
            clean.Append(shown ? rune.ToString() : "?");
        }

        return clean.ToString();
    }
}
