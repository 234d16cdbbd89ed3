using System.Globalization;
using System.Text;

namespace Appc.Fetching;

/// <summary>
/// Finds the meta tags of a page. It splits the text into tags as HTML does (comments, quoted attributes, elements
/// whose content is plain text) and builds no tree, so a page costs time in proportion to its length, whatever it holds.
/// </summary>
internal ref struct MetaTagScanner(ReadOnlySpan<char> page)
{
    // Inside these, markup is text. noscript is among them because a browser with scripting treats it so.
    private static readonly HashSet<string> RawTextElements =
    [
        "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp",
    ];

    // Punctuation that can occur in a template or URL. Others stay as they are written.
    private static readonly Dictionary<string, string> Entities = new(StringComparer.Ordinal)
    {
        ["amp"] = "&", ["lt"] = "<", ["gt"] = ">", ["quot"] = "\"", ["apos"] = "'", ["nbsp"] = "\u00a0",
        ["lbrace"] = "{", ["lcub"] = "{", ["rbrace"] = "}", ["rcub"] = "}", ["colon"] = ":", ["sol"] = "/",
        ["period"] = ".", ["comma"] = ",", ["semi"] = ";", ["num"] = "#", ["quest"] = "?", ["equals"] = "=",
        ["percnt"] = "%", ["lowbar"] = "_", ["commat"] = "@", ["plus"] = "+", ["ast"] = "*", ["excl"] = "!",
        ["lpar"] = "(", ["rpar"] = ")", ["lbrack"] = "[", ["lsqb"] = "[", ["rbrack"] = "]", ["rsqb"] = "]",
        ["dollar"] = "$", ["grave"] = "`", ["Hat"] = "^", ["vert"] = "|", ["bsol"] = "\\", ["Tab"] = "\t", ["NewLine"] = "\n",
    };

    private readonly ReadOnlySpan<char> _page = page;
    private int _at;

    /// <summary>Finds the next meta tag that has both a name and content; false at the end of the page.</summary>
    public bool Next(out string name, out string content)
    {
        while (NextTag(out bool isMeta, out name, out content))
        {
            if (isMeta)
            {
                return true;
            }
        }

        return false;
    }

    private bool NextTag(out bool isMeta, out string name, out string content)
    {
        isMeta = false;
        name = content = "";
        int open = _at >= _page.Length ? -1 : _page[_at..].IndexOf('<');
        if (open < 0 || _at + open + 1 >= _page.Length)
        {
            _at = _page.Length;
            return false;
        }

        _at += open + 1;
        char next = _page[_at];
        if (next == '!' && _page[_at..].StartsWith("!--"))
        {
            SkipComment();
        }
        else if (next is '!' or '?' || (next == '/' && !(_at + 1 < _page.Length && char.IsAsciiLetter(_page[_at + 1]))))
        {
            SkipPast('>');
        }
        else if (next == '/')
        {
            _at++;
            ReadTag(out _, out _, out _);
        }
        else if (char.IsAsciiLetter(next))
        {
            bool complete = ReadTag(out string element, out string? tagName, out string? tagContent);
            if (complete && element == "meta" && tagName is not null && tagContent is not null)
            {
                isMeta = true;
                name = tagName;
                content = tagContent;
            }

            if (RawTextElements.Contains(element))
            {
                SkipRawText(element);
            }
        }

        return true;
    }

    private void SkipPast(char end)
    {
        int found = _page[_at..].IndexOf(end);
        _at = found < 0 ? _page.Length : _at + found + 1;
    }

    private void SkipComment()
    {
        _at += 3;
        ReadOnlySpan<char> rest = _page[_at..];
        if (rest.StartsWith(">") || rest.StartsWith("->"))
        {
            _at += rest[0] == '>' ? 1 : 2;
            return;
        }

        int plain = rest.IndexOf("-->");
        int odd = rest[..(plain < 0 ? rest.Length : plain)].IndexOf("--!>");
        _at = odd >= 0 ? _at + odd + 4 : plain >= 0 ? _at + plain + 3 : _page.Length;
    }

    private void SkipRawText(string element)
    {
        string end = "</" + element;
        while (element != "plaintext")
        {
            int found = _page[_at..].IndexOf(end, StringComparison.OrdinalIgnoreCase);
            if (found < 0)
            {
                break;
            }

            int after = _at + found + end.Length;
            if (after < _page.Length && (IsSpace(_page[after]) || _page[after] is '/' or '>'))
            {
                _at += found;
                return;
            }

            _at = after;
        }

        _at = _page.Length;
    }

    /// <summary>Reads a tag from its name to its end; false if the page ends before.</summary>
    private bool ReadTag(out string element, out string? name, out string? content)
    {
        name = content = null;
        int start = _at;
        while (_at < _page.Length && !IsSpace(_page[_at]) && _page[_at] is not ('/' or '>'))
        {
            _at++;
        }

        // No element of interest has a long name; cutting spares a copy of a hostile one.
        element = _page[start..Math.Min(_at, start + 16)].ToString().ToLowerInvariant();
        while (true)
        {
            while (_at < _page.Length && (IsSpace(_page[_at]) || _page[_at] == '/'))
            {
                _at++;
            }

            if (_at >= _page.Length)
            {
                return false;
            }

            if (_page[_at] == '>')
            {
                _at++;
                return true;
            }

            if (!ReadAttribute(out ReadOnlySpan<char> key, out ReadOnlySpan<char> value))
            {
                return false;
            }

            if (element != "meta")
            {
                continue;
            }

            // As in HTML, the first of several attributes of one name counts.
            if (name is null && key.Equals("name", StringComparison.OrdinalIgnoreCase))
            {
                name = Decode(value);
            }
            else if (content is null && key.Equals("content", StringComparison.OrdinalIgnoreCase))
            {
                content = Decode(value);
            }
        }
    }

    private bool ReadAttribute(out ReadOnlySpan<char> key, out ReadOnlySpan<char> value)
    {
        int start = _at++;
        while (_at < _page.Length && !IsSpace(_page[_at]) && _page[_at] is not ('/' or '>' or '='))
        {
            _at++;
        }

        key = _page[start.._at];
        value = default;
        SkipSpace();
        if (_at >= _page.Length || _page[_at] != '=')
        {
            return _at < _page.Length;
        }

        _at++;
        SkipSpace();
        if (_at >= _page.Length)
        {
            return false;
        }

        char quote = _page[_at];
        if (quote is '"' or '\'')
        {
            start = ++_at;
            SkipPast(quote);
            bool closed = _at > start && _page[_at - 1] == quote;
            value = closed ? _page[start..(_at - 1)] : default;
            return closed;
        }

        start = _at;
        while (_at < _page.Length && !IsSpace(_page[_at]) && _page[_at] != '>')
        {
            _at++;
        }

        value = _page[start.._at];
        return _at < _page.Length;
    }

    private void SkipSpace()
    {
        while (_at < _page.Length && IsSpace(_page[_at]))
        {
            _at++;
        }
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f';

    private static string Decode(ReadOnlySpan<char> text)
    {
        if (!text.Contains('&'))
        {
            return text.ToString();
        }

        var result = new StringBuilder(text.Length);
        while (text.Length > 0)
        {
            int ampersand = text.IndexOf('&');
            result.Append(ampersand < 0 ? text : text[..ampersand]);
            text = ampersand < 0 ? default : text[ampersand..];
            if (text.Length > 0)
            {
                // Names and numbers of characters are short: a look at a few characters decides.
                int end = text[..Math.Min(text.Length, 12)].IndexOf(';');
                string? character = end > 1 ? Character(text[1..end]) : null;
                result.Append(character is null ? "&" : character);
                text = text[(character is null ? 1 : end + 1)..];
            }
        }

        return result.ToString();
    }

    private static string? Character(ReadOnlySpan<char> entity)
    {
        if (entity[0] != '#')
        {
            return Entities.GetValueOrDefault(entity.ToString());
        }

        bool hex = entity.Length > 2 && entity[1] is 'x' or 'X';
        return uint.TryParse(entity[(hex ? 2 : 1)..], hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
            && Rune.IsValid(number) && number != 0
            ? new Rune(number).ToString()
            : null;
    }
}
