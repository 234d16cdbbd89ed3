namespace Appc.Pods;

/// <summary>Looks at all pods of a data directory.</summary>
internal static class PodList
{
    // A look takes some microseconds: for fewer than this, others would only be in the way.
    private const int Share = 100;

    public static async Task<IReadOnlyList<PodStatus>> ReadAsync(PodDirectories pods, PodFilter filter, CancellationToken cancellationToken)
    {
        List<PodLocation> locations = [.. pods.Enumerate()];
        int shares = Math.Clamp(locations.Count / Share, 1, Environment.ProcessorCount);
        PodStatus[][] found = shares == 1
            ? [Read(0)]
            : await Task.WhenAll(Enumerable.Range(0, shares).Select(share => Task.Run(() => Read(share), cancellationToken))).ConfigureAwait(false);
        return found.SelectMany(f => f).OrderByDescending(p => p.Created ?? DateTimeOffset.MaxValue).ToArray();

        PodStatus[] Read(int share)
        {
            List<PodStatus> list = [];
            for (int i = share; i < locations.Count; i += shares)
            {
                cancellationToken.ThrowIfCancellationRequested();
                PodStatus status = Look(pods, locations[i]);
                if (status.State != PodState.Gone && filter.Matches(status))
                {
                    list.Add(status);
                }
            }

            return [.. list];
        }
    }

    private static PodStatus Look(PodDirectories pods, PodLocation location)
    {
        try
        {
            return PodStatusReader.Read(pods, location);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Explain($"the pod {location.Uuid} cannot be looked at", e);
        }
    }
}
