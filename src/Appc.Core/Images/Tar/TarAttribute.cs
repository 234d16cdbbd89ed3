namespace Appc.Images.Tar;

/// <summary>An extended attribute: name and value are bytes.</summary>
internal readonly record struct TarAttribute(byte[] Name, byte[] Value)
{
    private const byte Percent = (byte)'%';

    /// <summary>
    /// The name as part of the keyword of a PAX record, which ends at the first equals sign. As GNU tar has it: %3D
    /// stands for an equals sign and %25 for a percent sign, and nothing else is encoded.
    /// </summary>
    public byte[] EncodeName()
    {
        List<byte> encoded = new(Name.Length);
        foreach (byte b in Name)
        {
            encoded.AddRange(b switch
            {
                (byte)'=' => "%3D"u8,
                Percent => "%25"u8,
                _ => [b],
            });
        }

        return [.. encoded];
    }

    /// <summary>The name that a keyword stands for.</summary>
    public static byte[] DecodeName(ReadOnlySpan<byte> keyword)
    {
        List<byte> name = new(keyword.Length);
        for (int i = 0; i < keyword.Length; i++)
        {
            ReadOnlySpan<byte> rest = keyword[i..];
            bool equals = rest.StartsWith("%3D"u8);
            bool percent = rest.StartsWith("%25"u8);
            name.Add(equals ? (byte)'=' : rest[0]);
            i += equals || percent ? 2 : 0;
        }

        return [.. name];
    }
}
