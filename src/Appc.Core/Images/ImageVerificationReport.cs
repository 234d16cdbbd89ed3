namespace Appc.Images;

/// <summary>What a look at stored images found.</summary>
public sealed record ImageVerificationReport
{
    /// <summary>One item an image; the image that was asked for first, then its dependencies.</summary>
    public required IReadOnlyList<ImageVerification> Images { get; init; }

    /// <summary>Whether nothing was found.</summary>
    public bool IsGood => Images.All(i => i.IsGood);

    /// <summary>All findings.</summary>
    public IReadOnlyList<ImageFinding> Findings => Images.SelectMany(i => i.Findings).ToArray();
}
