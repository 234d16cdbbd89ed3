using Appc.Manifests;

namespace Appc.Images;

/// <summary>How far a verification has come.</summary>
/// <param name="Image">The image that is being looked at.</param>
/// <param name="Number">Which of the images it is, counted from 1.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Bytes">Bytes of its archive that were read.</param>
/// <param name="TotalBytes">Bytes of its archive.</param>
public sealed record ImageVerifyProgress(ImageId Image, int Number, int Count, long Bytes, long TotalBytes);
