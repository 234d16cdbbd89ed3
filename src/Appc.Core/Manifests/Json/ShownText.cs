using System.Globalization;
using System.Text;

namespace Appc.Manifests.Json;

/// <summary>Text from outside, made fit for a message: short, one line, no control characters.</summary>
internal static class ShownText
{
    public static string Shorten(string text, int most = 60)
    {
        StringBuilder shown = new(Math.Min(text.Length, most) + 4);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= most)
            {
                shown.Append("...");
                break;
            }

            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            }
            else
            {
                shown.Append(rune.ToString());
            }
        }

        return shown.ToString();
    }
}
