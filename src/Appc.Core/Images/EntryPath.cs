namespace Appc.Images;

/// <summary>Names of entries, checked and brought to one form: no dots, no doubled slashes, no slash at either end.</summary>
internal static class EntryPath
{
    private const int LongestComponent = 255;

    /// <summary>Cleans a name, or the target of a hard link.</summary>
    /// <param name="name">The name or target.</param>
    /// <param name="linkName">The name of the link that the target is of, for messages; null for a name.</param>
    /// <returns>The clean name; empty for the archive's top itself.</returns>
    /// <exception cref="ImageException">The name is absolute, climbs, is empty or cannot be a name on Linux.</exception>
    public static byte[] Clean(ReadOnlySpan<byte> name, byte[]? linkName = null)
    {
        if (name.IsEmpty)
        {
            throw Bad(name, linkName, "has an empty name");
        }

        if (name[0] == (byte)'/')
        {
            throw Bad(name, linkName, "has an absolute name");
        }

        if (name.Contains((byte)0))
        {
            throw Bad(name, linkName, "has a name with a NUL byte");
        }

        byte[] clean = new byte[name.Length];
        int length = 0;
        foreach (Range range in name.Split((byte)'/'))
        {
            ReadOnlySpan<byte> part = name[range];
            if (part.IsEmpty || part.SequenceEqual("."u8))
            {
                continue;
            }

            if (part.SequenceEqual(".."u8))
            {
                throw Bad(name, linkName, "has a parent segment (..) in its name");
            }

            if (part.Length > LongestComponent)
            {
                throw Bad(name, linkName, "has a name with a part longer than 255 bytes");
            }

            if (length > 0)
            {
                clean[length++] = (byte)'/';
            }

            part.CopyTo(clean.AsSpan(length));
            length += part.Length;
        }

        return length == clean.Length ? clean : clean[..length];
    }

    private static ImageException Bad(ReadOnlySpan<byte> name, byte[]? linkName, string what) => new(
        ImageFailure.BadArchive,
        linkName is null
            ? $"entry '{ByteText.Show(name)}' {what}"
            : $"entry '{ByteText.Show(linkName)}' is a hard link to '{ByteText.Show(name)}', which {what}");
}
