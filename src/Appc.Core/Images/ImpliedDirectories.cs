namespace Appc.Images;

/// <summary>The file that lists a tree's directories without an entry of their own: paths as bytes, each ended by NUL.</summary>
internal static class ImpliedDirectories
{
    public static void Write(string file, IReadOnlyList<byte[]> paths)
    {
        using FileStream stream = new(file, FileMode.CreateNew);
        foreach (byte[] path in paths)
        {
            stream.Write(path);
            stream.WriteByte(0);
        }
    }

    /// <summary>Reads the list; empty if there is no file.</summary>
    public static List<byte[]> Read(string file)
    {
        List<byte[]> paths = [];
        if (File.Exists(file))
        {
            ReadOnlySpan<byte> rest = File.ReadAllBytes(file);
            while (!rest.IsEmpty)
            {
                int end = rest.IndexOf((byte)0);
                if (end < 0)
                {
                    throw new IOException($"{file} is damaged: it does not end in NUL");
                }

                paths.Add(rest[..end].ToArray());
                rest = rest[(end + 1)..];
            }
        }

        return paths;
    }
}
