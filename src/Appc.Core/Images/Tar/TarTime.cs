namespace Appc.Images.Tar;

/// <summary>A time to the nanosecond since 1970; may lie before it.</summary>
internal readonly record struct TarTime(long Seconds, int Nanoseconds);
