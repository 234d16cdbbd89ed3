namespace Appc.Images;

/// <summary>Checks archives without unpacking them.</summary>
public static class AciValidator
{
    /// <summary>Reads an archive whole; throws <see cref="ImageException"/> or a manifest error at the first fault; returns its manifest, id and compression.</summary>
    public static Task<AciSummary> ValidateAsync(Stream archive, ArchiveLimits? limits = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
