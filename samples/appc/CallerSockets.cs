using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli;

/// <summary>Hands the sockets with which a .socket unit started this program to the apps that declare them.</summary>
internal static class CallerSockets
{
    /// <summary>By name, or the only socket to the only port that asks for one.</summary>
    public static void Assign(PodSpec spec, CallerUnit caller)
    {
        if (caller.Sockets.Count == 0)
        {
            return;
        }

        string[] ports = [.. spec.Apps.SelectMany(a => a.Image.Manifest.App?.Ports ?? []).Where(p => p.SocketActivated).Select(p => p.Name.ToString())];
        bool alone = ports.Length == 1 && caller.Sockets.Select(s => s.Name).Distinct().Count() == 1;
        foreach (CallerSocket socket in caller.Sockets)
        {
            string port = ports.Contains(socket.Name) ? socket.Name
                : alone ? ports[0]
                : throw new UsageException(ports.Length == 0
                    ? "this program was handed a socket (LISTEN_FDS), and no app has a port with socketActivated"
                    : $"no app has a port '{socket.Name}' with socketActivated, as the socket is called that this program was handed; set FileDescriptorName= of its unit to one of: {string.Join(", ", ports)}");
            spec.Sockets.Add(new PodSocket(port, socket.Handle));
        }
    }
}
