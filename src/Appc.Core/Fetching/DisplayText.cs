using System.Globalization;
using System.Text;

namespace Appc.Fetching;

/// <summary>Makes text from the outside fit for a message: one line, no control or formatting characters, bounded.</summary>
internal static class DisplayText
{
    public static string Clean(string text, int maxLength = 200)
    {
        var clean = new StringBuilder(Math.Min(text.Length, maxLength));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (clean.Length >= maxLength)
            {
                clean.Append('…');
                break;
            }

            bool hidden = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate;
            clean.Append(hidden ? "?" : rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>A URL as it is shown: without a password, and bounded.</summary>
    public static string Clean(Uri url) => Clean(url.UserInfo.Length == 0 ? url.AbsoluteUri : new UriBuilder(url) { UserName = "", Password = "" }.Uri.AbsoluteUri, 400);
}
