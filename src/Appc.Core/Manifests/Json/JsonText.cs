using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>Work on JSON as text that does not depend on what it says.</summary>
internal static class JsonText
{
    private const int IndentSize = 4;

    /// <summary>The text of a JSON string's inside.</summary>
    public static string Unescape(ReadOnlySpan<byte> inner)
    {
        StringBuilder text = new(inner.Length);
        while (!inner.IsEmpty)
        {
            int escape = inner.IndexOf((byte)'\\');
            if (escape < 0)
            {
                text.Append(Encoding.UTF8.GetString(inner));
                break;
            }

            text.Append(Encoding.UTF8.GetString(inner[..escape]));
            byte kind = inner[escape + 1];
            if (kind == (byte)'u')
            {
                text.Append((char)ushort.Parse(inner.Slice(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                inner = inner[(escape + 6)..];
            }
            else
            {
                text.Append(kind switch
                {
                    (byte)'b' => '\b',
                    (byte)'f' => '\f',
                    (byte)'n' => '\n',
                    (byte)'r' => '\r',
                    (byte)'t' => '\t',
                    _ => (char)kind,
                });
                inner = inner[(escape + 2)..];
            }
        }

        return ReplaceLoneSurrogates(text);
    }

    /// <summary>A copy of the value without the white space between its tokens; strings and numbers keep their spelling.</summary>
    public static string Compact(ReadOnlySpan<byte> json)
    {
        if (json.IndexOfAny(" \t\r\n"u8) < 0)
        {
            return Encoding.UTF8.GetString(json);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(json.Length);
        int length = 0;
        bool inString = false;
        for (int index = 0; index < json.Length; index++)
        {
            byte current = json[index];
            if (!inString && current is ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                continue;
            }

            buffer[length++] = current;
            if (current == (byte)'"')
            {
                inString = !inString;
            }
            else if (inString && current == (byte)'\\')
            {
                buffer[length++] = json[++index];
            }
        }

        string text = Encoding.UTF8.GetString(buffer, 0, length);
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    /// <summary>Lays compact JSON out over lines, four spaces a level.</summary>
    public static byte[] Indent(ReadOnlySpan<byte> compact)
    {
        using PooledBuffer output = new();
        int depth = 0;
        bool inString = false;
        for (int index = 0; index < compact.Length; index++)
        {
            byte current = compact[index];
            if (inString)
            {
                Put(output, current);
                if (current == (byte)'\\')
                {
                    Put(output, compact[++index]);
                }
                else if (current == (byte)'"')
                {
                    inString = false;
                }

                continue;
            }

            switch (current)
            {
                case (byte)'"':
                    inString = true;
                    Put(output, current);
                    break;
                case (byte)'{' or (byte)'[':
                    Put(output, current);
                    if (compact[index + 1] is (byte)'}' or (byte)']')
                    {
                        Put(output, compact[++index]);
                        break;
                    }

                    NewLine(output, ++depth);
                    break;
                case (byte)'}' or (byte)']':
                    NewLine(output, --depth);
                    Put(output, current);
                    break;
                case (byte)',':
                    Put(output, current);
                    NewLine(output, depth);
                    break;
                case (byte)':':
                    Put(output, current);
                    Put(output, (byte)' ');
                    break;
                default:
                    Put(output, current);
                    break;
            }
        }

        return output.Written.ToArray();
    }

    /// <summary>What the reader has to say, without the position that it appends.</summary>
    public static string SyntaxMessage(JsonException exception)
    {
        string message = exception.Message;
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return "not valid JSON: " + ShownText.Shorten(end < 0 ? message : message[..end], 160);
    }

    public static int IndexOfInvalidUtf8(ReadOnlySpan<byte> utf8)
    {
        int index = 0;
        while (index < utf8.Length && Rune.DecodeFromUtf8(utf8[index..], out _, out int length) == OperationStatus.Done)
        {
            index += length;
        }

        return index;
    }

    private static string ReplaceLoneSurrogates(StringBuilder text)
    {
        for (int index = 0; index < text.Length; index++)
        {
            if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            {
                index++;
            }
            else if (char.IsSurrogate(text[index]))
            {
                text[index] = '\uFFFD';
            }
        }

        return text.ToString();
    }

    private static void NewLine(PooledBuffer output, int depth)
    {
        Span<byte> span = output.GetSpan(1 + (depth * IndentSize));
        span[0] = (byte)'\n';
        span.Slice(1, depth * IndentSize).Fill((byte)' ');
        output.Advance(1 + (depth * IndentSize));
    }

    private static void Put(PooledBuffer output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }
}
