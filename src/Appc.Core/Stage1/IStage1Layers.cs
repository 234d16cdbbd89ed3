using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>
/// A flavour whose apps keep what they change in a layer of their own over the trees of their image. Implemented beside
/// <see cref="IStage1"/>.
/// </summary>
public interface IStage1Layers
{
    /// <summary>The layer of an app of a pod that has ended.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="app">Name of the app.</param>
    /// <exception cref="LaunchException">The app's image cannot be read.</exception>
    Stage1Layer LayerOf(Stage1Pod pod, AcName app);
}
