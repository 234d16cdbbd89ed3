using System.Diagnostics;
using System.Globalization;

namespace Appc.Stage1.Limits;

/// <summary>Another machine on a cable: a network namespace with one end of a pair of interfaces, the other end here.</summary>
internal sealed class Neighbour : IDisposable
{
    private static int s_count;

    private readonly Process _holder;
    private readonly List<Process> _servers = [];
    private readonly int _network;

    public Neighbour()
    {
        int count = Interlocked.Increment(ref s_count);
        _network = ((Environment.ProcessId * 8) + count) % 8192 * 4;
        Interface = string.Create(CultureInfo.InvariantCulture, $"appc{Environment.ProcessId % 1_000_000}x{count}");
        _holder = Process.Start("unshare", ["--net", "/usr/bin/busybox", "sleep", "600"]);
        Assert.True(SpinWait.SpinUntil(() => Namespace(_holder.Id) is { } other && other != Namespace(Environment.ProcessId), TimeSpan.FromSeconds(30)));
        Run("ip", "link", "add", Interface, "type", "veth", "peer", "name", "there", "netns", _holder.Id.ToString(CultureInfo.InvariantCulture));
        RunThere("ip", "addr", "add", Address + "/30", "dev", "there");
        RunThere("ip", "link", "set", "there", "up");
    }

    /// <summary>The end that is here.</summary>
    public string Interface { get; }

    /// <summary>The other end's address.</summary>
    public string Address => AddressOf(2);

    /// <summary>Brings this end up, here.</summary>
    public void ConnectHere() => Connect([]);

    /// <summary>Gives this end to the network namespace of a process, and brings it up.</summary>
    public void ConnectTo(int pid)
    {
        string number = pid.ToString(CultureInfo.InvariantCulture);
        Run("ip", "link", "set", Interface, "netns", number);
        Connect(["nsenter", "--net", "--target", number]);
    }

    /// <summary>Has the other end take what a connection sends.</summary>
    public void Receive(int port) => Serve(port, "> /dev/null");

    /// <summary>Has the other end send a number of 64 KiB blocks to whoever connects.</summary>
    public void Send(int port, int blocks) => Serve(port, $"-e /usr/bin/busybox dd if=/dev/zero bs=65536 count={blocks}");

    public void Dispose()
    {
        foreach (Process process in (Process[])[.. _servers, _holder])
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }

    private string AddressOf(int host) => string.Create(CultureInfo.InvariantCulture, $"198.{18 + (_network >> 16)}.{(_network >> 8) & 255}.{(_network & 255) + host}");

    private void Serve(int port, string rest)
    {
        _servers.Add(Process.Start("nsenter", ["--net", "--target", _holder.Id.ToString(CultureInfo.InvariantCulture), "sh", "-c", $"exec /usr/bin/busybox nc -l -p {port} {rest}"]));
        string mark = port.ToString("X4", CultureInfo.InvariantCulture);
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{_holder.Id}/net/tcp6").Contains(mark, StringComparison.Ordinal) || File.ReadAllText($"/proc/{_holder.Id}/net/tcp").Contains(mark, StringComparison.Ordinal), TimeSpan.FromSeconds(30)));
    }

    private void Connect(string[] prefix)
    {
        Run([.. prefix, "ip", "addr", "add", AddressOf(1) + "/30", "dev", Interface]);
        Run([.. prefix, "ip", "link", "set", Interface, "up"]);
    }

    private void RunThere(params string[] command) => Run(["nsenter", "--net", "--target", _holder.Id.ToString(CultureInfo.InvariantCulture), .. command]);

    private static void Run(params string[] command)
    {
        using Process process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, string.Join(' ', command));
    }

    private static string? Namespace(int pid) => new FileInfo($"/proc/{pid}/ns/net").LinkTarget;
}
