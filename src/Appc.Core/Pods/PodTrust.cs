using Appc.Images;
using Appc.Manifests;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Looks again, before a pod is prepared and before it starts, whether its images may run.</summary>
internal sealed class PodTrust(ImageStore images, ILogger logger)
{
    /// <exception cref="TrustException">One of them may not.</exception>
    public Task RequireAsync(string uuid, IEnumerable<ImageId> ids, TrustPolicy policy, CancellationToken cancellationToken) =>
        RequireAsync(uuid, ids, id => id, id => images.CheckTrustAsync(id, policy, cancellationToken));

    /// <inheritdoc cref="RequireAsync(string, IEnumerable{ImageId}, TrustPolicy, CancellationToken)"/>
    public Task RequireAsync(string uuid, IEnumerable<StoredImage> held, TrustPolicy policy, CancellationToken cancellationToken) =>
        RequireAsync(uuid, held, i => i.Id, i => images.CheckTrustAsync(i, policy, cancellationToken));

    private async Task RequireAsync<T>(string uuid, IEnumerable<T> all, Func<T, ImageId> idOf, Func<T, Task<TrustDecision>> check)
    {
        foreach (T image in all.DistinctBy(idOf))
        {
            ImageId id = idOf(image);
            try
            {
                TrustDecision decision = await check(image).ConfigureAwait(false);
                switch (decision.Basis)
                {
                    case TrustBasis.ImageId:
                        logger.RunsImageById(uuid, id.ToString(), decision.Reservation!.Message);
                        break;
                    case TrustBasis.Nothing:
                        logger.RunsInsecureImage(uuid, id.ToString(), decision.Reservation!.Message);
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
}
