using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>
/// A flavour that can change the apps of its running pods (<see cref="Stage1Pod.Mutable"/>). Implemented beside
/// <see cref="IStage1"/>. Every call works from any process that may; the caller holds the lock of the pod's apps.
/// </summary>
/// <remarks>
/// An empty file at <see cref="Stage1Pod.StatusPath"/> says that the app was begun, one with a line how it ended; there is none
/// before the app's first start.
/// </remarks>
public interface IStage1Apps
{
    /// <summary>Finds what keeps an app from being added. Changes nothing.</summary>
    /// <param name="pod">The pod, with the app among its apps already.</param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="LaunchException">The app cannot be run in this pod.</exception>
    Task CheckAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default);

    /// <summary>Finds the isolators of an app that cannot be enforced in this pod, which was made before it. Changes nothing.</summary>
    /// <param name="pod">The pod, with the app among its apps already.</param>
    /// <param name="app">The app.</param>
    IReadOnlyList<UnenforcedIsolator> FindUnenforced(Stage1Pod pod, AcName app);

    /// <summary>Shows the pod an app's root file system, volumes and all, without starting it.</summary>
    /// <param name="pod">
    /// The pod, with the app among its apps already. <see cref="Stage1Pod.LockDescriptor"/> is the lock of the pod's apps, which
    /// processes that work for longer than this one inherit.
    /// </param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="RemoveAppAsync"/> then takes back what was done.</param>
    /// <exception cref="LaunchException">A step failed; <see cref="RemoveAppAsync"/> takes back what was done.</exception>
    Task AddAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default);

    /// <summary>Starts an app that was added, or has ended; returns when it was begun. Does nothing if it runs.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="cancellationToken">Cancels the call, not the start that it has begun.</param>
    /// <exception cref="LaunchException">The app could not be begun.</exception>
    Task StartAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default);

    /// <summary>Asks an app to stop, and kills what is left of it when the time is over. Does nothing if it does not run.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="grace">How long it may take; zero kills at once, <see cref="Timeout.InfiniteTimeSpan"/> is the app's own time.</param>
    /// <param name="cancellationToken">Cancels the call, not the stop that it has begun.</param>
    /// <exception cref="LaunchException">The pod does not answer.</exception>
    Task StopAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, TimeSpan grace, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes an app that does not run out of the pod, with its logs, its status, and volumes that the pod no longer has. Safe to repeat, and for one that was not
    /// added in whole.
    /// </summary>
    /// <param name="pod">The pod. The app need not be among its apps.</param>
    /// <param name="firstProcess">Its first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="cancellationToken">Cancels the call, which can be repeated.</param>
    /// <exception cref="LaunchException">A step failed.</exception>
    Task RemoveAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default);
}
