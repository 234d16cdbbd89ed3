namespace Appc.Images.Tar;

/// <summary>A run of data in a sparse file.</summary>
internal readonly record struct TarSegment(long Offset, long Length);
