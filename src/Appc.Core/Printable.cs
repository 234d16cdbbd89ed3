namespace Appc;

/// <summary>Makes text of images, pods and callers fit for a message: it must not write to a terminal.</summary>
internal static class Printable
{
    /// <summary>The text with a question mark for each control character.</summary>
    internal static string Text(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}
