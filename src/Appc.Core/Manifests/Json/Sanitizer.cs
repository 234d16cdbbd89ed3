using System.Buffers;
using System.Text;

namespace Appc.Manifests.Json;

/// <summary>Makes valid names of any text.</summary>
internal static class Sanitizer
{
    /// <param name="text">Any text.</param>
    /// <param name="allowed">The characters that stay.</param>
    /// <param name="separators">Those of them that stand at neither end; the first stands in for what is not allowed.</param>
    /// <param name="single">Whether separators in a row become one.</param>
    public static string Clean(string text, SearchValues<char> allowed, string separators, bool single)
    {
        ArgumentNullException.ThrowIfNull(text);
        StringBuilder clean = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            char character = rune.IsAscii ? char.ToLowerInvariant((char)rune.Value) : '\0';
            character = allowed.Contains(character) ? character : separators[0];
            if (!(single && clean.Length > 0 && character == separators[0] && clean[^1] == character))
            {
                clean.Append(character);
            }
        }

        return clean.ToString().Trim(separators.ToCharArray());
    }
}
