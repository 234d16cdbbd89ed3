using Appc.Manifests;

namespace Appc.Images;

/// <summary>An image that a collection left.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name; null if it cannot be read.</param>
/// <param name="Reason">Why it stays.</param>
/// <param name="Detail">The same in words: which pod, which other image, until when.</param>
public sealed record KeptImage(ImageId Id, AcIdentifier? Name, ImageKeepReason Reason, string Detail);
