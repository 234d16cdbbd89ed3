using System.Runtime.InteropServices;
using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>A listening socket that an app of a pod is handed at its start.</summary>
/// <param name="App">The app.</param>
/// <param name="Port">Its port by name, by which it finds the socket among LISTEN_FDNAMES.</param>
/// <param name="Handle">The descriptor; it stays the caller's, and must be open until the start has returned.</param>
/// <param name="StartOnConnection">Whether the app is started by the first connection or datagram only.</param>
public sealed record Stage1Socket(AcName App, AcName Port, SafeHandle Handle, bool StartOnConnection);
