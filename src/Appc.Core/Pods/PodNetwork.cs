using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Appc.Linux;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;

namespace Appc.Pods;

/// <summary>Connects to what listens in a pod, whatever network the pod has.</summary>
internal sealed class PodNetwork(PodDirectories pods)
{
    private static readonly IPAddress[] Loopback = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <summary>Connects to a port of the pod's loopback interface.</summary>
    public async Task<Socket> ConnectAsync(string uuid, int port, CancellationToken cancellationToken)
    {
        using SafeFileHandle process = OpenProcess(uuid);
        SocketException? refused = null;
        foreach (IPAddress address in Loopback)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Socket socket = Open(process, address.AddressFamily, uuid);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken).ConfigureAwait(false);
                socket.NoDelay = true;
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                refused ??= e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new PodException(
            PodFailure.NotReady,
            string.Create(CultureInfo.InvariantCulture, $"nothing in the pod {uuid} accepts connections at port {port}: {refused!.Message}"),
            "the app must listen on the pod's loopback interface or on all interfaces; wait until it is ready",
            refused);
    }

    private static Socket Open(SafeFileHandle process, AddressFamily family, string uuid)
    {
        const int NoSuchProcess = 3;
        try
        {
            return NetworkSocket.Open(process, family, "pod " + uuid);
        }
        catch (LaunchException e) when (e.Errno == NoSuchProcess)
        {
            throw NotRunning(uuid);
        }
    }

    private static PodException NotRunning(string uuid) =>
        new(PodFailure.WrongState, $"the pod {uuid} does not run", "only a running pod has a network");

    /// <summary>A process that lives in the pod's network: its process 1 where it has one, else its first process.</summary>
    private SafeFileHandle OpenProcess(string uuid)
    {
        Stage1ProcessId? process = pods.Find(uuid) is { Phase: PodPhase.Run } location
            ? PodFiles.ReadLeader(location.Directory) ?? PodFiles.ReadFirstProcess(location.Directory)?.Process
            : null;
        return process is { Pid: > 0 } && ProcessIdentity.TryOpen(process) is { } pidfd ? pidfd : throw NotRunning(uuid);
    }
}
