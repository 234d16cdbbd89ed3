namespace Appc.Stage1;

/// <summary>A flavour that tells what a collection freed on the host.</summary>
public interface IStage1Collector
{
    /// <summary>As <see cref="IStage1.CollectAsync"/>, which is not called then.</summary>
    Task<Stage1Garbage> CollectGarbageAsync(Stage1Pod pod, CancellationToken cancellationToken = default);

    /// <summary>Frees what is registered in a data directory for pods that are gone.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="exists">Whether there is a pod with a UUID, or somebody just makes one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<Stage1Garbage> CollectOrphansAsync(string root, Func<string, bool> exists, CancellationToken cancellationToken = default);
}
