namespace Appc.Images.Tar;

/// <summary>Hands out a stream of bytes block by block, without copying.</summary>
internal interface IByteSource
{
    /// <summary>The next block; the one before is given back. Empty at the end.</summary>
    ReadOnlyMemory<byte> Next();
}
