namespace Appc.Metadata;

/// <summary>What a pod asks.</summary>
/// <param name="Method">The method, as it was sent.</param>
/// <param name="Path">The path, without a query.</param>
/// <param name="ContentType">The type of the body, without parameters; empty if there is none.</param>
/// <param name="Body">The body.</param>
internal sealed record MetadataRequest(string Method, string Path, string ContentType, byte[] Body);
