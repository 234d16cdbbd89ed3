using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Appc.Pods;

/// <summary>
/// The service manager that started this program, as far as it handed something over: a socket to report to
/// (NOTIFY_SOCKET, for units of Type=notify) and listening sockets (LISTEN_FDS, for units that a .socket unit starts).
/// Without a service manager it has nothing, and reports to nobody.
/// </summary>
public sealed class CallerUnit
{
    private const int FirstDescriptor = 3;

    private readonly string? _notifySocket;

    private CallerUnit(string? notifySocket, IReadOnlyList<CallerSocket> sockets)
    {
        _notifySocket = notifySocket;
        Sockets = sockets;
    }

    /// <summary>Whether the service manager waits to be told when this program is ready.</summary>
    public bool AwaitsReadiness => _notifySocket is not null;

    /// <summary>The listening sockets, in the order of the unit.</summary>
    public IReadOnlyList<CallerSocket> Sockets { get; }

    /// <summary>
    /// Takes what is in the environment out of it, so that no program that this one starts takes it for its own: the next call
    /// finds nothing.
    /// </summary>
    public static CallerUnit FromEnvironment()
    {
        CallerUnit unit = Read(Environment.GetEnvironmentVariable, Environment.ProcessId);
        foreach (string variable in (string[])["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"])
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        return unit;
    }

    internal static CallerUnit Read(Func<string, string?> environment, int pid)
    {
        string? socket = environment("NOTIFY_SOCKET");
        return new CallerUnit(
            socket is ['/' or '@', _, ..] ? socket : null,
            Number(environment("LISTEN_PID")) == pid ? ReadSockets(Number(environment("LISTEN_FDS")) ?? 0, environment("LISTEN_FDNAMES")) : []);
    }

    /// <summary>Tells that this program is ready: the service counts as started.</summary>
    /// <exception cref="SocketException">The service manager cannot be reached.</exception>
    public void NotifyReady() => Notify("READY=1");

    /// <summary>
    /// Tells that the service is ready, and that another process is its main one from now on: this program may then end, and the
    /// service goes on until that process ends.
    /// </summary>
    /// <param name="mainProcessId">A process of this unit, such as <see cref="PodStatus.Pid"/> of a pod.</param>
    /// <exception cref="SocketException">The service manager cannot be reached.</exception>
    public void NotifyReady(int mainProcessId) => Notify(string.Create(CultureInfo.InvariantCulture, $"MAINPID={mainProcessId}\nREADY=1"));

    /// <summary>Tells that this program is about to end.</summary>
    /// <exception cref="SocketException">The service manager cannot be reached.</exception>
    public void NotifyStopping() => Notify("STOPPING=1");

    /// <summary>Tells in one line what this program is doing; <c>systemctl status</c> shows it.</summary>
    /// <exception cref="SocketException">The service manager cannot be reached.</exception>
    public void NotifyStatus(string status)
    {
        ArgumentNullException.ThrowIfNull(status);
        Notify("STATUS=" + status.ReplaceLineEndings(" "));
    }

    private void Notify(string message)
    {
        if (_notifySocket is null)
        {
            return;
        }

        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        string path = _notifySocket[0] == '@' ? "\0" + _notifySocket[1..] : _notifySocket;
        socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(path));
    }

    private static List<CallerSocket> ReadSockets(int count, string? names)
    {
        string[] given = names?.Split(':') ?? [];
        List<CallerSocket> sockets = [];
        for (int i = 0; i < count && i < 1024; i++)
        {
            // Ours from here on; a program that is started does not get them by chance.
            SafeFileHandle handle = new(FirstDescriptor + i, ownsHandle: true);
            _ = Linux.Libc.fcntl(FirstDescriptor + i, Linux.Libc.F_SETFD, Linux.Libc.FD_CLOEXEC);
            sockets.Add(new CallerSocket(i < given.Length ? given[i] : "unknown", handle));
        }

        return sockets;
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
