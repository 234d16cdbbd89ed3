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

    /// <summary>Refuses sockets that a pod which was prepared before cannot be handed.</summary>
    /// <exception cref="PodException">It cannot.</exception>
    public static void Require(string uuid, IList<PodSocket> sockets, IReadOnlyList<RuntimeApp> apps, IStage1 stage1)
    {
        List<string> faults = [.. Check(sockets, apps, stage1)];
        foreach (RuntimeApp app in apps.Where(a => IsLazy(sockets, a.App!)))
        {
            // Of a pod that is run at once these are decided together.
            if (Stage1App.Announces(app))
            {
                faults.Add($"the app {app.Name} was prepared to announce its readiness, and so cannot be started by a connection");
            }

            if (RestartAnnotations.Find(app) is not null)
            {
                faults.Add($"the app {app.Name} was prepared to be started again when it has ended, and so cannot be started by a connection");
            }
        }

        if (faults.Count > 0)
        {
            throw new PodException($"the pod {uuid} cannot be started", [.. faults.Select(f => new PodFinding(PodFailure.BadSpec, f))]);
        }
    }

    /// <summary>What is wrong about the sockets for a pod.</summary>
    public static IEnumerable<string> Check(IList<PodSocket> sockets, IReadOnlyList<RuntimeApp> apps, IStage1 stage1)
    {
        if (sockets.Count > 0 && !stage1.Features.SocketActivation)
        {
            yield return $"the stage1 flavour {stage1.Name} hands no sockets to apps";
            yield break;
        }

        if (sockets.Count > Most)
        {
            yield return $"it is handed {sockets.Count} sockets, and {Most} is the most";
        }

        foreach (PodSocket socket in sockets)
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

    /// <summary>The sockets, which were checked, with their apps.</summary>
    public static IReadOnlyList<Stage1Socket> Assign(IList<PodSocket> sockets, PodManifest manifest) =>
        sockets.Select(s => new Stage1Socket(manifest.Apps.First(a => Declares(a, s)).Name, AcName.Parse(s.Port), s.Handle, s.StartOnConnection)).ToArray();

    /// <summary>Whether an app waits for a connection before it is started.</summary>
    public static bool IsLazy(IList<PodSocket> sockets, App app) =>
        sockets.Any(s => s.StartOnConnection && app.Ports.Any(p => p.SocketActivated && p.Name.ToString() == s.Port));

    private static bool Declares(RuntimeApp app, PodSocket socket) =>
        app.App!.Ports.Any(p => p.SocketActivated && p.Name.ToString() == socket.Port);
}
