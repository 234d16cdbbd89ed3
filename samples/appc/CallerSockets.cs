using Appc.Cli.CommandLine;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Cli;

/// <summary>Hands the sockets with which a .socket unit started this program to the apps that declare them.</summary>
internal static class CallerSockets
{
    /// <summary>By name, or the only socket to the only port that asks for one.</summary>
    public static void Assign(PodSpec spec, CallerUnit caller) =>
        Assign(spec.Sockets, spec.Apps.SelectMany(a => a.Image.Manifest.App?.Ports ?? []), caller);

    /// <summary>The same for a pod that was prepared before.</summary>
    public static void Assign(RunPreparedOptions options, PodManifest pod, CallerUnit caller) =>
        Assign(options.Sockets, pod.Apps.SelectMany(a => a.App?.Ports ?? []), caller);

    private static void Assign(IList<PodSocket> sockets, IEnumerable<Port> declared, CallerUnit caller)
    {
        if (caller.Sockets.Count == 0)
        {
            return;
        }

        string[] ports = [.. declared.Where(p => p.SocketActivated).Select(p => p.Name.ToString())];
        bool alone = ports.Length == 1 && caller.Sockets.Select(s => s.Name).Distinct().Count() == 1;
        foreach (CallerSocket socket in caller.Sockets)
        {
            string port = ports.Contains(socket.Name) ? socket.Name
                : alone ? ports[0]
                : throw new UsageException(ports.Length == 0
                    ? "this program was handed a socket (LISTEN_FDS), and no app has a port with socketActivated"
                    : $"no app has a port '{socket.Name}' with socketActivated, as the socket is called that this program was handed; set FileDescriptorName= of its unit to one of: {string.Join(", ", ports)}");
            sockets.Add(new PodSocket(port, socket.Handle));
        }
    }
}
