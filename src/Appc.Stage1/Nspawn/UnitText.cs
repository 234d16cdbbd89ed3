using System.Text;

namespace Appc.Stage1.Nspawn;

/// <summary>Writes unit files so that every byte arrives as it was meant.</summary>
internal sealed class UnitText
{
    private readonly StringBuilder _text = new(1024);

    internal UnitText Section(string name)
    {
        _text.Append('[').Append(name).Append("]\n");
        return this;
    }

    /// <summary>A setting whose value is made of harmless words only.</summary>
    internal UnitText Set(string name, string value)
    {
        _text.Append(name).Append('=').Append(value).Append('\n');
        return this;
    }

    /// <summary>A setting of quoted words.</summary>
    internal UnitText SetQuoted(string name, string prefix, IEnumerable<string> words)
    {
        _text.Append(name).Append('=').Append(prefix);
        bool first = true;
        foreach (string word in words)
        {
            if (!first)
            {
                _text.Append(' ');
            }

            Quote(_text, word);
            first = false;
        }

        _text.Append('\n');
        return this;
    }

    public override string ToString() => _text.ToString();

    /// <summary>
    /// In double quotes, with each byte that is not a plain letter, digit or mark as an escape. The percent sign
    /// would name a specifier and is doubled.
    /// </summary>
    internal static void Quote(StringBuilder text, string word)
    {
        text.Append('"');
        foreach (byte b in Encoding.UTF8.GetBytes(word))
        {
            if (b == '%')
            {
                text.Append("%%");
            }
            else if (char.IsAsciiLetterOrDigit((char)b) || "/._-+:,=@ ".Contains((char)b, StringComparison.Ordinal))
            {
                text.Append((char)b);
            }
            else
            {
                text.Append("\\x").Append(Convert.ToHexStringLower([b]));
            }
        }

        text.Append('"');
    }

    /// <summary>How long a word is when it is quoted.</summary>
    internal static int LengthOf(string word)
    {
        StringBuilder text = new(word.Length + 2);
        Quote(text, word);
        return text.Length;
    }

    /// <summary>A path without control characters for settings that are pairs of paths.</summary>
    internal static string PairWord(string path)
    {
        bool plain = path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+".Contains(c, StringComparison.Ordinal));
        return plain ? path : '"' + path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal) + '"';
    }

    /// <summary>
    /// A path for settings that take the rest of the line as it is.
    /// </summary>
    /// <exception cref="LaunchException">The path has characters that cannot be written there.</exception>
    internal static string PlainPath(string path, string what, string subject)
    {
        bool plain = path.StartsWith('/') && path == path.Trim() && !path.Any(char.IsControl) && !path.EndsWith('\\');
        return plain
            ? path.Replace("%", "%%", StringComparison.Ordinal)
            : throw new LaunchException(
                "write the unit", 0, Printable.Text($"{subject}: the {what} '{path}' holds characters that cannot be used there"));
    }

    /// <summary>A path for settings that are lists of paths, or of pairs of them.</summary>
    /// <exception cref="LaunchException">The path has characters that cannot be written there.</exception>
    internal static string PlainWord(string path, string what, string subject) => path.Any(c => c == ':' || char.IsWhiteSpace(c))
        ? throw new LaunchException("write the unit", 0, Printable.Text($"{subject}: the {what} '{path}' holds white space or a colon, which cannot be used there"))
        : PlainPath(path, what, subject);
}
