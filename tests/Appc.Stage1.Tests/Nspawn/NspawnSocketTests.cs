using System.Net;
using System.Net.Sockets;
using System.Text;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Listening sockets of the host, handed to apps.</summary>
public sealed class NspawnSocketTests(NspawnFixture fixture) : IAsyncDisposable
{
    private readonly ServicePods _pods = new(fixture);
    private readonly List<Socket> _sockets = [];

    public async ValueTask DisposeAsync()
    {
        _sockets.ForEach(s => s.Dispose());
        await _pods.DisposeAsync();
    }

    [Fact]
    public async Task A_pod_without_a_network_serves_on_sockets_of_the_host()
    {
        (EndPoint tcp, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        (EndPoint six, PodSocket http6) = Listen("http", new IPEndPoint(IPAddress.IPv6Any, 0));
        (EndPoint local, PodSocket control) = Listen("control", new UnixDomainSocketEndPoint(Path.Combine(_pods.Scratch, "50% control")));
        (EndPoint hidden, PodSocket other) = Listen("control", new UnixDomainSocketEndPoint("\0appc-test-" + Guid.NewGuid()));
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Sockets = { http, http6, control, other } });

        // What was handed over may be closed here. (Disposing one with a path would remove the path.)
        _sockets.Where(s => s.AddressFamily != AddressFamily.Unix).ToList().ForEach(s => s.Dispose());
        await ServicePods.WaitForOutputAsync(pod, "serving");
        Assert.Equal("http got a", await AskAsync(tcp, "a"));
        Assert.Equal("http got six", await AskAsync(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)six).Port), "six"));
        Assert.Equal("control got b", await AskAsync(local, "b"));
        Assert.Equal("control got c", await AskAsync(hidden, "c"));
        Assert.DoesNotContain("eth", await ServicePods.ExecAsync(pod, null, "/bin/ip", "-o", "link"), StringComparison.Ordinal);
        Assert.Equal("http got quit", await AskAsync(tcp, "quit"));
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);

        // With the pod's the last descriptor is closed: nobody listens any more.
        await Assert.ThrowsAnyAsync<SocketException>(() => AskAsync(tcp, "anybody"));
    }

    [Fact]
    public async Task An_app_is_started_by_the_first_connection()
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = true;
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Sockets = { http } });
        PodStatus status = await pod.WaitUntilReadyAsync();
        Assert.True(status.Ready);
        LaunchException none = await Assert.ThrowsAsync<LaunchException>(() => ServicePods.ExecAsync(pod, null, "/bin/true"));
        Assert.Contains("service", none.Message, StringComparison.Ordinal);
        Assert.Equal("", await pod.ReadOutputAsync());

        Assert.Equal("http got hello", await AskAsync(address, "hello"));
        Assert.Equal("up\nserving\n", await pod.ReadOutputAsync());
        Assert.Equal("http got again", await AskAsync(address, "again"));
        Assert.Equal("http got fail", await AskAsync(address, "fail"));
        Assert.Equal(3, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
        Assert.Equal("up\nserving\n", await pod.ReadOutputAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_prepared_pod_is_handed_sockets_when_it_is_run(bool lazy)
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = lazy;
        Pod prepared = await _pods.Runtime.PrepareAsync(new PodSpec(await ServerAsync()));

        // One that no app declares is refused, and the pod stays what it is.
        (_, PodSocket other) = Listen("other", new IPEndPoint(IPAddress.Loopback, 0));
        PodException refused = await Assert.ThrowsAsync<PodException>(
            () => _pods.Runtime.RunPreparedAsync(prepared.Uuid, new RunPreparedOptions { Sockets = { http, other } }));
        Assert.Equal(PodFailure.BadSpec, refused.Failure);
        Assert.Contains("other", refused.Message, StringComparison.Ordinal);
        Assert.Equal(PodState.Prepared, (await prepared.GetStatusAsync()).State);

        Pod pod = await _pods.Runtime.RunPreparedAsync(prepared.Uuid, new RunPreparedOptions { Sockets = { http } });
        Assert.Equal("http got hello", await AskAsync(address, "hello"));
        Assert.Equal("http got quit", await AskAsync(address, "quit"));
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
    }

    [Fact]
    public async Task A_pod_that_was_prepared_to_announce_its_readiness_is_not_started_by_a_connection()
    {
        (_, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = true;
        AppSpec server = await ServerAsync();
        server.AnnouncesReadiness = true;
        Pod prepared = await _pods.Runtime.PrepareAsync(new PodSpec(server));
        PodException refused = await Assert.ThrowsAsync<PodException>(
            () => _pods.Runtime.RunPreparedAsync(prepared.Uuid, new RunPreparedOptions { Sockets = { http } }));
        Assert.Contains("readiness", refused.Message, StringComparison.Ordinal);
        Assert.Equal(PodState.Prepared, (await prepared.GetStatusAsync()).State);
    }

    [Theory]
    [InlineData(PodExitPolicy.LastExit)]
    [InlineData(PodExitPolicy.FirstFailure)]
    public async Task Beside_other_apps_one_is_started_once_and_a_pod_that_waits_lives(PodExitPolicy policy)
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = true;
        AppSpec server = await ServerAsync();
        AppSpec other = await _pods.AppAsync("announce");
        (server.Name, other.Name, other.Exec) = ("server", "other", "/bin/true");
        Pod pod = await _pods.RunAsync(new PodSpec { Apps = { server, other }, Sockets = { http }, Options = new Stage1Options { ExitPolicy = policy } });
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while ((await pod.GetStatusAsync()).Apps[1].State == AppState.Running)
        {
            await Task.Delay(5, limit.Token);
        }

        Assert.Equal("http got hello", await AskAsync(address, "hello"));
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
        Assert.Equal("http got quit", await AskAsync(address, "quit"));
        PodStatus end = await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal([0, 0], end.Apps.Select(a => a.ExitCode));
    }

    [Fact]
    public async Task An_app_that_has_ended_is_not_started_by_another_connection()
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = true;
        AppSpec server = await ServerAsync();
        AppSpec other = await _pods.AppAsync("silent");
        (server.Name, other.Name) = ("server", "other");
        Pod pod = await _pods.RunAsync(new PodSpec { Apps = { server, other }, Sockets = { http } });

        // The app waits for a word from the first, and so the second is still in the queue when the app ends.
        using Socket first = await ConnectAsync(address);
        await ServicePods.WaitForOutputAsync(pod, "serving", "server");
        using Socket second = await ConnectAsync(address);
        await first.SendAsync(Encoding.ASCII.GetBytes("quit"));
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while ((await pod.GetStatusAsync()).Apps[0].State == AppState.Running)
        {
            await Task.Delay(5, limit.Token);
        }

        using Socket third = await ConnectAsync(address);
        Assert.Equal("x\n", await ServicePods.ExecAsync(pod, "other", "/bin/sh", "-c", "sleep 0.2; echo x"));
        Assert.Equal("up\nserving\n", await pod.ReadOutputAsync("server"));
        Assert.Equal(PodState.Running, (await pod.GetStatusAsync()).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_app_whose_start_fails_does_not_hold_the_pod_up(bool lazy)
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = lazy;
        AppSpec server = await ServerAsync([new EventHandlerSpec("pre-start", ["/bin/sh", "-c", "exit 3"])]);
        AppSpec other = await _pods.AppAsync("announce");
        (server.Name, other.Name, other.Exec) = ("server", "other", "/bin/true");
        Pod pod = await _pods.RunAsync(new PodSpec
        {
            Apps = { server, other }, Sockets = { http }, Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit },
        });
        using Socket? first = lazy ? await ConnectAsync(address) : null;
        PodStatus end = await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal([3, 0], end.Apps.Select(a => a.ExitCode));
    }

    [Fact]
    public async Task Sockets_of_every_kind_are_handed_on()
    {
        (EndPoint udp, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0), SocketType.Dgram);
        (EndPoint six, PodSocket http6) = Listen("http", new IPEndPoint(IPAddress.IPv6Loopback, 0), SocketType.Dgram);
        (EndPoint tcp, PodSocket same) = Listen("control", udp);
        (EndPoint messages, PodSocket control) = Listen("control", new UnixDomainSocketEndPoint(Path.Combine(_pods.Scratch, "messages")), SocketType.Seqpacket);
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Sockets = { http, http6, same, control } });
        Assert.Equal("http got a", await AskAsync(udp, "a", SocketType.Dgram));
        Assert.Equal("http got b", await AskAsync(six, "b", SocketType.Dgram));
        Assert.Equal("control got c", await AskAsync(tcp, "c"));
        Assert.Equal("control got d", await AskAsync(messages, "d", SocketType.Seqpacket));
        Assert.Equal("http got quit", await AskAsync(udp, "quit", SocketType.Dgram));
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
    }

    [Fact]
    public async Task An_app_is_started_by_the_first_datagram_and_is_given_it()
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0), SocketType.Dgram);
        http.StartOnConnection = true;
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Sockets = { http } });
        Assert.Equal("", await pod.ReadOutputAsync());
        Assert.Equal("http got first", await AskAsync(address, "first", SocketType.Dgram));
        Assert.Equal("http got quit", await AskAsync(address, "quit", SocketType.Dgram));
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_app_that_is_started_again_keeps_its_sockets_until_it_is_given_up(bool beside)
    {
        (EndPoint tcp, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        (EndPoint udp, PodSocket control) = Listen("control", new IPEndPoint(IPAddress.Loopback, 0), SocketType.Dgram);
        AppSpec server = await ServerAsync();
        server.Restart = new RestartPolicy { Delay = TimeSpan.FromMilliseconds(300), MaxDelay = TimeSpan.FromMilliseconds(300), MaxRestarts = 2 };
        PodSpec spec = new(server) { Sockets = { http, control }, Options = new Stage1Options { ExitPolicy = PodExitPolicy.LastExit } };
        if (beside)
        {
            AppSpec other = await _pods.AppAsync("announce");
            (server.Name, other.Name, other.Exec) = ("server", "other", "/bin/true");
            spec.Apps.Add(other);
        }

        Pod pod = await _pods.RunAsync(spec);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("http got fail", await AskAsync(tcp, "fail"));

            // Who connects while it waits to be started again is served by the next one.
            Assert.Equal("http got soon", await AskAsync(tcp, "soon"));
            Assert.Equal("control got this", await AskAsync(udp, "this", SocketType.Dgram));
        }

        Assert.Equal("http got fail", await AskAsync(tcp, "fail"));
        PodStatus end = await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal((3, 2), (end.Apps[0].ExitCode, end.Apps[0].RestartCount));
        Assert.Equal(string.Concat(Enumerable.Repeat("up\nserving\n", 3)), await pod.ReadOutputAsync(beside ? "server" : null));
    }

    [Fact]
    public async Task An_app_of_a_mutable_pod_is_not_started_again_without_the_sockets_that_it_had()
    {
        (EndPoint address, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Mutable = true, Sockets = { http } });
        Assert.Equal("http got a", await AskAsync(address, "a"));
        await pod.StopAppAsync("service");
        LaunchException e = await Assert.ThrowsAsync<LaunchException>(() => pod.StartAppAsync("service"));
        Assert.Contains("the app service had sockets of the host", e.Message, StringComparison.Ordinal);
        Assert.Contains("AppSpec.Restart", e.Hint, StringComparison.Ordinal);
        Assert.Equal("up\nserving\n", await pod.ReadOutputAsync());
    }

    [Fact]
    public async Task A_pod_that_waits_for_a_connection_is_stopped()
    {
        (_, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        http.StartOnConnection = true;
        Pod pod = await _pods.RunAsync(new PodSpec(await ServerAsync()) { Sockets = { http } });
        PodStatus end = await pod.StopAsync(TimeSpan.FromSeconds(30)).WaitAsync(ServicePods.Limit);
        Assert.Equal(PodState.Exited, end.State);
    }

    [Fact]
    public async Task What_cannot_be_handed_on_is_refused_before_anything_is_made()
    {
        AppSpec app = await ServerAsync();
        (_, PodSocket http) = Listen("http", new IPEndPoint(IPAddress.Loopback, 0));
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Socket unbound = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using Socket nameless = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        using FileStream file = File.OpenRead("/dev/null");
        (PodSocket Socket, string Problem)[] cases =
        [
            (new PodSocket("nothing", http.Handle), "no app has a port that is called nothing"),
            (new PodSocket("plain", http.Handle), "its app does not declare it with socketActivated"),
            (new PodSocket("http", bound.SafeHandle), "it does not listen"),
            (new PodSocket("http", unbound.SafeHandle), "it is bound to no address"),
            (new PodSocket("http", nameless.SafeHandle), "it is bound to no address"),
            (new PodSocket("http", file.SafeFileHandle), "it is not a socket"),
        ];
        foreach ((PodSocket socket, string problem) in cases)
        {
            PodException e = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.RunAsync(new PodSpec(app) { Sockets = { socket } }));
            Assert.Equal(PodFailure.BadSpec, e.Failure);
            Assert.Contains(problem, e.Message, StringComparison.Ordinal);
        }

        PodSocket late = new("http", http.Handle) { StartOnConnection = true };
        LaunchException fly = await Assert.ThrowsAsync<LaunchException>(() => _pods.Runtime.RunAsync(new PodSpec(app) { Stage1 = "fly", Sockets = { late } }));
        Assert.Contains("nobody would be there to see it", fly.Message, StringComparison.Ordinal);
        PodException prepared = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.PrepareAsync(new PodSpec(app) { Sockets = { http } }));
        Assert.Contains("only prepared", prepared.Message, StringComparison.Ordinal);
    }

    private Task<AppSpec> ServerAsync(IReadOnlyList<EventHandlerSpec>? handlers = null) => _pods.AppAsync("serve", m => m with
    {
        App = m.App! with
        {
            EventHandlers = handlers ?? [],
            Ports =
            [
                new Port { Name = AcName.Parse("http"), Number = 80, SocketActivated = true },
                new Port { Name = AcName.Parse("control"), Number = 81, SocketActivated = true },
                new Port { Name = AcName.Parse("plain"), Number = 82 },
            ],
        },
    });

    private (EndPoint Address, PodSocket Socket) Listen(string port, EndPoint at, SocketType type = SocketType.Stream)
    {
        Socket socket = new(at.AddressFamily, type, ProtocolType.Unspecified);
        _sockets.Add(socket);
        if (at.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = true;
        }

        socket.Bind(at);
        if (type != SocketType.Dgram)
        {
            socket.Listen();
        }

        return (socket.LocalEndPoint!, new PodSocket(port, socket.SafeHandle));
    }

    private static async Task<Socket> ConnectAsync(EndPoint address, SocketType type = SocketType.Stream)
    {
        Socket socket = new(address.AddressFamily, type, ProtocolType.Unspecified);
        await socket.ConnectAsync(address);
        return socket;
    }

    private static async Task<string> AskAsync(EndPoint address, string word, SocketType type = SocketType.Stream)
    {
        using CancellationTokenSource limit = new(ServicePods.Limit);
        using Socket socket = await ConnectAsync(address, type);
        await socket.SendAsync(Encoding.ASCII.GetBytes(word), limit.Token);
        byte[] answer = new byte[256];
        int length = await socket.ReceiveAsync(answer, limit.Token);
        return Encoding.ASCII.GetString(answer, 0, length);
    }
}
