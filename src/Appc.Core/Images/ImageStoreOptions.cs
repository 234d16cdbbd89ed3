using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Images;

/// <summary>How an image store behaves.</summary>
public sealed class ImageStoreOptions
{
    /// <summary>Who checks signatures.</summary>
    /// <value>The default value is null: only images under <see cref="TrustPolicy.Insecure"/> can be imported.</value>
    public ISignatureVerifier? Verifier { get; set; }

    /// <summary>What must be proven about images where a call does not say it.</summary>
    /// <value>The default value is <see cref="TrustPolicy.RequireSignature"/>.</value>
    public TrustPolicy Trust { get; set; } = TrustPolicy.RequireSignature;

    /// <summary>Whether trees are rendered at import.</summary>
    /// <value>The default value is true on Linux; elsewhere the store keeps archives and manifests only.</value>
    public bool RenderTrees { get; set; } = OperatingSystem.IsLinux();

    /// <summary>
    /// Asked before an image is removed, under the image's exclusive lock: who uses it? A name to show, such as
    /// <c>pod 3f2a…</c>; null or empty if nobody does.
    /// </summary>
    public Func<Manifests.ImageId, string?>? FindUser { get; set; }

    /// <summary>Who uses the image; null if nobody does. A function of PowerShell has no other text for that than an empty one.</summary>
    internal string? UserOf(Manifests.ImageId id) => FindUser?.Invoke(id) is { Length: > 0 } user ? user : null;

    /// <summary>Where log messages go.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
