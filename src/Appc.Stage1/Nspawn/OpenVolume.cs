using Appc.Linux;
using Appc.Stage1.Volumes;

namespace Appc.Stage1.Nspawn;

/// <summary>A volume of an app, opened and mapped, and mounted nowhere yet.</summary>
/// <param name="Mount">What it is and where it goes.</param>
/// <param name="Tree">Descriptor of the detached mount; null if it is made where it is attached.</param>
internal sealed record OpenVolume(AppMount Mount, LaunchArgument? Tree);
