using Appc.Manifests;

namespace Appc.Images;

/// <summary>One thing that is not as it should be in a stored image.</summary>
/// <param name="Image">The image.</param>
/// <param name="Part">What part of it.</param>
/// <param name="Path">The file in the tree, with odd bytes escaped; null for the part as a whole.</param>
/// <param name="Message">What differs.</param>
public sealed record ImageFinding(ImageId Image, ImagePart Part, string? Path, string Message);
