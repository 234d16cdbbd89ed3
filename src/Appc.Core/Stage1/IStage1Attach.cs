using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>A flavour whose apps can have a standard input (<see cref="Stage1App.Input"/>). Implemented beside <see cref="IStage1"/>.</summary>
public interface IStage1Attach
{
    /// <summary>
    /// Opens the standard input of an app that runs and has one. Works from any process that may, any number of times at
    /// once, and changes nothing for the app. What the app writes is read from its log files.
    /// </summary>
    /// <param name="pod">The pod.</param>
    /// <param name="firstProcess">The pod's first process.</param>
    /// <param name="app">The app.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The input; null if the app's input has ended, or the app has.</returns>
    /// <exception cref="LaunchException">It cannot be opened.</exception>
    Task<Stage1Attachment?> AttachAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default);
}
