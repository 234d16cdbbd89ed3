using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>A flavour that can run further commands in its running pods. Implemented beside <see cref="IStage1"/>.</summary>
public interface IStage1Exec
{
    /// <summary>
    /// Starts a command in a running app's isolation: its namespaces, root, control group, limits, user, capabilities
    /// and filter of system calls. Works from any process that may.
    /// </summary>
    /// <param name="pod">The pod.</param>
    /// <param name="firstProcess">The pod's first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Cancels the start; nothing of it is left.</param>
    /// <exception cref="LaunchException">The app does not run, or a step failed.</exception>
    Task<Stage1Exec> ExecAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, Stage1Command command, CancellationToken cancellationToken = default);
}
