using System.Text;

namespace Appc.Cli.Output;

/// <summary>Keeps names and messages that come from images and servers from steering a terminal.</summary>
internal static class Clean
{
    public static string Line(string text)
    {
        if (!text.Any(Unprintable))
        {
            return text;
        }

        var result = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (c is '\n' or '\r' or '\t')
            {
                result.Append(' ');
            }
            else if (Unprintable(c))
            {
                result.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }

    private static bool Unprintable(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
