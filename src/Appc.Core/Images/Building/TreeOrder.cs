namespace Appc.Images.Building;

/// <summary>
/// Orders paths as a walk of a tree does that takes the names in a directory by their bytes: a directory, all in it,
/// then the next name.
/// </summary>
internal sealed class TreeOrder : IComparer<byte[]>
{
    public static TreeOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y)
    {
        ReadOnlySpan<byte> a = x;
        ReadOnlySpan<byte> b = y;
        int same = a.CommonPrefixLength(b);
        return same == a.Length || same == b.Length ? a.Length.CompareTo(b.Length) : Rank(a[same]).CompareTo(Rank(b[same]));
    }

    // No name has a NUL, so the slash comes before all that a name can go on with.
    private static int Rank(byte b) => b == (byte)'/' ? 0 : b;
}
