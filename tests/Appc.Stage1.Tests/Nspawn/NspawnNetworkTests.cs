using System.Net;
using System.Net.Sockets;
using System.Text;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Connections of the host into pods, which have no interface but their own loopback.</summary>
public sealed class NspawnNetworkTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const int Port = 8080;

    private readonly ServicePods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Fact]
    public async Task A_port_of_a_pod_is_served_at_one_of_the_host()
    {
        Pod pod = await StartServerAsync();
        string[] before = NetworksOfThreads();
        await using (PodPortForward forward = pod.ForwardPort(Port))
        {
            Assert.Equal((IPAddress.Loopback, Port, pod.Uuid), (forward.EndPoint.Address, forward.PodPort, forward.PodUuid));
            using HttpClient client = new() { BaseAddress = new Uri($"http://{forward.EndPoint}/") };
            string[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetStringAsync("page")));
            Assert.All(answers, a => Assert.Equal(1 << 20, a.Length));

            // A half that is closed stays so; the other half goes on.
            using TcpClient raw = new();
            await raw.ConnectAsync(forward.EndPoint);
            NetworkStream stream = raw.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /page HTTP/1.0\r\n\r\n"));
            raw.Client.Shutdown(SocketShutdown.Send);
            using StreamReader reader = new(stream);
            Assert.EndsWith(new string('x', 1 << 20), await reader.ReadToEndAsync(), StringComparison.Ordinal);

            // Nobody else than who is let in gets there, and no thread of ours went there.
            Assert.Single(before.Concat(NetworksOfThreads()).Distinct());
            using TcpClient direct = new();
            await Assert.ThrowsAnyAsync<SocketException>(() => direct.ConnectAsync(IPAddress.Loopback, Port));
        }

        await pod.StopAsync(TimeSpan.Zero);
        PodException ended = await Assert.ThrowsAsync<PodException>(() => pod.ConnectAsync(Port));
        Assert.Equal(PodFailure.WrongState, ended.Failure);
    }

    [Fact]
    public async Task Where_nobody_listens_a_connection_is_refused()
    {
        Pod pod = await StartServerAsync();
        PodException refused = await Assert.ThrowsAsync<PodException>(() => pod.ConnectAsync(1));
        Assert.Equal(PodFailure.NotReady, refused.Failure);
        Assert.Contains("port 1", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pod.ConnectAsync(0));

        await using PodPortForward forward = pod.ForwardPort(1);
        using TcpClient client = new();
        await client.ConnectAsync(forward.EndPoint);
        Assert.Equal(0, await ReadOrResetAsync(client));

        PodException taken = Assert.Throws<PodException>(() => pod.ForwardPort(1, forward.EndPoint));
        Assert.Equal(PodFailure.HostUnsuitable, taken.Failure);
    }

    private async Task<Pod> StartServerAsync()
    {
        AppSpec app = await _pods.AppAsync("none");
        app.Exec = "/bin/sh";
        app.Arguments.Add("-c");
        app.Arguments.Add(
            $"busybox head -c 1048576 /dev/zero | busybox tr '\\0' x > /tmp/page; busybox httpd -p {Port} -h /tmp && echo serving; exec sleep 1000");
        Pod pod = await _pods.RunAsync(new PodSpec(app));
        await ServicePods.WaitForOutputAsync(pod, "serving");
        return pod;
    }

    private static async Task<int> ReadOrResetAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string[] NetworksOfThreads() =>
        [.. Directory.GetDirectories("/proc/self/task").Select(t => new FileInfo(t + "/ns/net").LinkTarget).OfType<string>().Distinct()];
}
