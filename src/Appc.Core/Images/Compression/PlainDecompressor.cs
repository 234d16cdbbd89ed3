namespace Appc.Images.Compression;

/// <summary>No compression.</summary>
internal sealed class PlainDecompressor(ArchiveInput input) : IDecompressor
{
    public string Name => "none";

    public int Read(Span<byte> buffer) => input.Read(buffer);

    public void Dispose()
    {
    }
}
