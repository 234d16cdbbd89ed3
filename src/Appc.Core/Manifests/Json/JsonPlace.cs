using System.Text;

namespace Appc.Manifests.Json;

/// <summary>A place in a document: a byte's offset, and its line and column from 1. Columns count characters (Unicode scalar values).</summary>
internal readonly record struct JsonPlace(int Offset, int Line, int Column)
{
    public static JsonPlace Start => new(0, 1, 1);

    /// <summary>The place of another byte, reckoned on from this one where it comes later: faults mostly do.</summary>
    public JsonPlace MoveTo(ReadOnlySpan<byte> utf8, int offset)
    {
        JsonPlace from = offset < Offset || Line == 0 ? Start : this;
        ReadOnlySpan<byte> between = utf8[from.Offset..Math.Min(offset, utf8.Length)];
        int lines = between.Count((byte)'\n');
        return lines == 0
            ? new JsonPlace(offset, from.Line, from.Column + Characters(between))
            : new JsonPlace(offset, from.Line + lines, 1 + Characters(between[(between.LastIndexOf((byte)'\n') + 1)..]));
    }

    private static int Characters(ReadOnlySpan<byte> utf8)
    {
        if (Ascii.IsValid(utf8))
        {
            return utf8.Length;
        }

        int characters = 0;
        foreach (byte value in utf8)
        {
            // Continuation bytes of UTF-8 do not begin a character.
            characters += (value & 0xC0) == 0x80 ? 0 : 1;
        }

        return characters;
    }
}
