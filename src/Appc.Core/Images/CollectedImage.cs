using Appc.Manifests;

namespace Appc.Images;

/// <summary>An image that was removed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="LastUsed">When it was used last.</param>
/// <param name="Bytes">Disk space that its removal freed.</param>
public sealed record CollectedImage(ImageId Id, AcIdentifier Name, DateTimeOffset LastUsed, long Bytes);
