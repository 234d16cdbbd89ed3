using System.Runtime.InteropServices;

namespace Appc.Pods;

/// <summary>A listening socket that the service manager opened for this program.</summary>
/// <param name="Name">Its name: FileDescriptorName= of the .socket unit, or the unit's name.</param>
/// <param name="Handle">The socket.</param>
public sealed record CallerSocket(string Name, SafeHandle Handle);
