using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Tmds.Linux;

namespace Appc.Pods;

/// <summary>Finds the app for each socket that a pod is handed.</summary>
internal static class PodSockets
{
    // Descriptors up to here are free in the first process of a pod.
    private const int Most = 48;

    /// <summary>What is wrong about the sockets of a specification.</summary>
    public static IEnumerable<string> Check(PodSpec spec, IReadOnlyList<RuntimeApp> apps, IStage1 stage1)
    {
        if (spec.Sockets.Count > 0 && !stage1.Features.SocketActivation)
        {
            yield return $"the stage1 flavour {stage1.Name} hands no sockets to apps";
            yield break;
        }

        if (spec.Sockets.Count > Most)
        {
            yield return $"it is handed {spec.Sockets.Count} sockets, and {Most} is the most";
        }

        foreach (PodSocket socket in spec.Sockets)
        {
            RuntimeApp[] owners = [.. apps.Where(a => Declares(a, socket))];
            if (owners.Length == 0)
            {
                yield return apps.Any(a => a.App!.Ports.Any(p => p.Name.ToString() == socket.Port))
                    ? $"the port {socket.Port} is handed a socket, and its app does not declare it with socketActivated"
                    : $"no app has a port that is called {socket.Port}, for which there is a socket";
            }
            else if (owners.Length > 1)
            {
                yield return $"several apps have a port that is called {socket.Port}, for which there is a socket";
            }

            if (OperatingSystem.IsLinux())
            {
                using HeldDescriptor held = new(socket.Handle);
                if (ListeningSocket.Describe(held.Number, out string problem) is null)
                {
                    yield return $"the socket for the port {socket.Port} cannot be handed on: {problem}";
                }
            }
        }
    }

    /// <summary>The sockets with their apps; the specification was checked.</summary>
    public static IReadOnlyList<Stage1Socket> Assign(PodSpec spec, PodManifest manifest) =>
        spec.Sockets.Select(s => new Stage1Socket(manifest.Apps.First(a => Declares(a, s)).Name, AcName.Parse(s.Port), s.Handle, s.StartOnConnection)).ToArray();

    /// <summary>Whether an app waits for a connection before it is started.</summary>
    public static bool IsLazy(PodSpec spec, App app) =>
        spec.Sockets.Any(s => s.StartOnConnection && app.Ports.Any(p => p.SocketActivated && p.Name.ToString() == s.Port));

    private static bool Declares(RuntimeApp app, PodSocket socket) =>
        app.App!.Ports.Any(p => p.SocketActivated && p.Name.ToString() == socket.Port);
}
