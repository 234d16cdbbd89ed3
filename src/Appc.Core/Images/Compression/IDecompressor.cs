namespace Appc.Images.Compression;

/// <summary>Turns the archive's file into the tar stream. Checks all that the format has to check.</summary>
internal interface IDecompressor : IDisposable
{
    /// <summary>none, gzip, bzip2, xz or zstd.</summary>
    string Name { get; }

    /// <summary>The next bytes; 0 at the end, which is only reached when the whole file was sound.</summary>
    /// <exception cref="ImageException">The file is damaged or cut off.</exception>
    int Read(Span<byte> buffer);
}
