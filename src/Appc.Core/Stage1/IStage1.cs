namespace Appc.Stage1;

/// <summary>
/// A stage1 flavour: the part that turns a prepared pod into running processes. Everything before
/// (images, trust, the pod's directory, its reified manifest) is the runtime's.
/// </summary>
public interface IStage1
{
    /// <summary>The name by which a pod asks for this flavour, such as <c>nspawn</c>.</summary>
    string Name { get; }

    /// <summary>What this flavour can enforce and does.</summary>
    Stage1Features Features { get; }

    /// <summary>
    /// Looks whether this host has what the flavour needs. Never throws for what is missing:
    /// <see cref="Stage1HostReport.Problem"/> says it.
    /// </summary>
    Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts the pod's processes and returns when the first one runs. On failure nothing of the pod is left
    /// running or mounted.
    /// </summary>
    /// <exception cref="LaunchException">A step of the launch failed.</exception>
    Task<Stage1Process> StartAsync(Stage1Pod pod, CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks the pod's apps to stop, and kills whatever is left of the pod when the time is over. Works from any
    /// process and returns when no process of the pod is left.
    /// </summary>
    /// <param name="pod">The pod.</param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="grace">
    /// How long the apps may take; one that has a <see cref="Stage1App.StopTimeout"/> no longer than that. Zero kills at
    /// once. <see cref="Timeout.InfiniteTimeSpan"/>: each app its own time, and 10 seconds if it has none.
    /// </param>
    /// <param name="cancellationToken">Cancels the call, not the stop that it has begun.</param>
    Task StopAsync(Stage1Pod pod, Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken = default);

    /// <summary>
    /// Frees what an ended pod may have left on the host outside its directory (cgroups, id ranges). Must be
    /// safe to repeat.
    /// </summary>
    Task CollectAsync(Stage1Pod pod, CancellationToken cancellationToken = default);
}
