using Appc.Images;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Looks again, before a pod is prepared and before it starts, whether its images may run.</summary>
internal sealed class PodTrust(ImageStore images, ILogger logger)
{
    /// <exception cref="TrustException">One of them may not.</exception>
    public async Task RequireAsync(string uuid, IEnumerable<ImageId> ids, TrustPolicy policy, CancellationToken cancellationToken)
    {
        foreach (ImageId id in ids.Distinct())
        {
            await RequireAsync(uuid, await images.GetAsync(id, cancellationToken).ConfigureAwait(false), policy, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="RequireAsync(string, IEnumerable{ImageId}, TrustPolicy, CancellationToken)"/>
    public async Task RequireAsync(string uuid, IEnumerable<StoredImage> held, TrustPolicy policy, CancellationToken cancellationToken)
    {
        foreach (StoredImage image in held.DistinctBy(i => i.Id))
        {
            await RequireAsync(uuid, image, policy, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RequireAsync(string uuid, StoredImage image, TrustPolicy policy, CancellationToken cancellationToken)
    {
        try
        {
            TrustDecision decision = await images.CheckTrustAsync(image, policy, cancellationToken).ConfigureAwait(false);
            switch (decision.Basis)
            {
                case TrustBasis.ImageId:
                    logger.RunsImageById(uuid, image.Id.ToString(), decision.Reservation!.Message);
                    break;
                case TrustBasis.Nothing:
                    logger.RunsInsecureImage(uuid, image.Id.ToString(), decision.Reservation!.Message);
                    break;
            }
        }
        catch (TrustException e)
        {
            logger.TrustRefused(uuid, e.Failure, e.Message);
            throw;
        }
    }
}
