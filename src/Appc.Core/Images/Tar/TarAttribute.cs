namespace Appc.Images.Tar;

/// <summary>An extended attribute: name and value are bytes.</summary>
internal readonly record struct TarAttribute(byte[] Name, byte[] Value);
