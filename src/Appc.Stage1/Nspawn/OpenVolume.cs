using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>A volume of an app, opened and mapped, and mounted nowhere yet.</summary>
/// <param name="Mount">Where it goes.</param>
/// <param name="Tree">Descriptor of the detached mount.</param>
/// <param name="IsDirectory">Whether it is a directory.</param>
internal sealed record OpenVolume(Mount Mount, LaunchArgument Tree, bool IsDirectory);
