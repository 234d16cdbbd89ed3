using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Appc.Manifests;
using Appc.Metadata;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>The metadata service as apps see it (ace.md, "App Container Metadata Service").</summary>
public sealed class NspawnMetadataTests(NspawnFixture fixture) : IAsyncDisposable
{
    private const string Ask = "ask() { wget -q -O- \"$AC_METADATA_URL/acMetadata/v1/$1\"; }; ";

    private readonly MetadataPods _pods = new(fixture);

    public ValueTask DisposeAsync() => _pods.DisposeAsync();

    [Fact]
    public async Task An_app_is_told_all_that_the_specification_names_from_its_first_instruction_on()
    {
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime);
        AppSpec app = await _pods.AppAsync(
            Ask + "for what in pod/annotations pod/manifest pod/uuid apps/$AC_APP_NAME/annotations apps/$AC_APP_NAME/image/manifest apps/$AC_APP_NAME/image/id pod/uuid/; do ask $what; echo; done",
            m => m with { Annotations = [new(AcIdentifier.Parse("color"), "red"), new(AcIdentifier.Parse("size"), "größer")] });
        app.Annotations.Add(new Annotation(AcIdentifier.Parse("color"), "blue"));
        Pod pod = await _pods.RunAsync(new PodSpec(app) { Annotations = { new Annotation(AcIdentifier.Parse("ip-address"), "10.1.2.3") } });
        Assert.Equal(0, (await pod.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);

        string[] answers = (await pod.ReadOutputAsync()).TrimEnd('\n').Split('\n');
        Assert.Equal(7, answers.Length);
        Assert.Equal("""[{"name":"ip-address","value":"10.1.2.3"}]""", answers[0]);
        Assert.Equal((await pod.GetManifestAsync()).ToJson(), PodManifest.Parse(Encoding.UTF8.GetBytes(answers[1])).ToJson());
        Assert.Equal(pod.Uuid, answers[2]);
        Assert.Equal(
            [("color", "blue"), ("size", "größer")],
            JsonDocument.Parse(answers[3]).RootElement.EnumerateArray().Select(a => (a.GetProperty("name").GetString(), a.GetProperty("value").GetString())).Order());
        Assert.Equal(await MetadataPods.ManifestInArchiveAsync(app.Image), answers[4]);
        Assert.Equal(app.Image.Id.ToString(), answers[5]);
        Assert.Equal(pod.Uuid, answers[6]);
    }

    [Fact]
    public async Task What_a_pod_has_signed_is_verified_by_another_one_and_after_its_end()
    {
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime);
        Pod signer = await _pods.RunAsync(new PodSpec(await _pods.AppAsync(
            "wget -q -O- --post-data 'content=a%00b+c%26' \"$AC_METADATA_URL/acMetadata/v1/pod/hmac/sign\"")));
        Assert.Equal(0, (await signer.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
        string signature = await signer.ReadOutputAsync();
        Assert.Equal(64, Convert.FromBase64String(signature).Length);

        string sent = Uri.EscapeDataString(signature);
        string other = Uri.EscapeDataString(Convert.ToBase64String(new byte[64]));
        Pod verifier = await _pods.RunAsync(new PodSpec(await _pods.AppAsync(
            "try() { wget -q -O /dev/null --post-data \"$1\" \"$AC_METADATA_URL/acMetadata/v1/pod/hmac/verify\" 2> /tmp/err && echo good || { grep -o 40[0-9] /tmp/err; }; }; "
            + $"try 'content=a%00b+c%26&uuid={signer.Uuid}&signature={sent}'; "
            + $"try 'content=a%00b+c&uuid={signer.Uuid}&signature={sent}'; "
            + $"try 'content=a%00b+c%26&uuid={Guid.NewGuid()}&signature={sent}'; "
            + $"try 'content=a%00b+c%26&uuid={signer.Uuid}&signature={other}'; "
            + $"try 'content=a%00b+c%26&uuid={signer.Uuid}&signature=no'; "
            + $"try 'content=a%00b+c%26&uuid=no&signature={sent}'; "
            + $"try 'content=a%00b+c%26&uuid={signer.Uuid}'; "
            + $"try 'content=%zz&uuid={signer.Uuid}&signature={sent}'")));
        Assert.Equal(0, (await verifier.WaitAsync().WaitAsync(ServicePods.Limit)).ExitCode);
        Assert.Equal("good 403 403 403 403 403 400 400", (await verifier.ReadOutputAsync()).TrimEnd('\n').Replace('\n', ' '));
    }

    [Fact]
    public async Task Without_a_service_a_pod_has_no_url_or_does_not_start()
    {
        AppSpec app = await _pods.AppAsync("echo \"[$AC_METADATA_URL]\"");
        Pod without = await _pods.RunAsync(new PodSpec(app));
        await without.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal("[]\n", await without.ReadOutputAsync());

        PodSpec spec = new(app) { Options = new Stage1Options { Metadata = MetadataMode.Required } };
        PodException refused = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.RunAsync(spec));
        Assert.Equal(PodFailure.HostUnsuitable, refused.Failure);
        Assert.Contains("no process serves", refused.Message, StringComparison.Ordinal);
        Assert.Single(await _pods.Runtime.ListAsync());

        // A prepared one stays prepared, and runs once there is a service.
        await using Pod prepared = await _pods.Runtime.PrepareAsync(spec);
        await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.RunPreparedAsync(prepared.Uuid));
        Assert.Equal(PodState.Prepared, (await prepared.GetStatusAsync()).State);
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime);
        Pod run = await _pods.RunPreparedAsync(prepared.Uuid);
        await run.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Matches(@"^\[http://127\.0\.0\.1:18112/[0-9a-f]{64}\]\n$", await run.ReadOutputAsync());

        // Nor is there one if it is not wanted.
        Pod unwanted = await _pods.RunAsync(new PodSpec(app) { Options = new Stage1Options { Metadata = MetadataMode.None } });
        await unwanted.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal("[]\n", await unwanted.ReadOutputAsync());
    }

    [Fact]
    public async Task A_service_that_is_started_again_serves_pods_that_run()
    {
        MetadataService first = await MetadataService.StartAsync(_pods.Runtime);
        PodException second = await Assert.ThrowsAsync<PodException>(() => MetadataService.StartAsync(_pods.Runtime));
        Assert.Equal(PodFailure.WrongState, second.Failure);
        Pod pod = await _pods.RunAsync(new PodSpec(await _pods.AppAsync("echo up; sleep 1000")));
        Assert.Equal([pod.Uuid], first.Pods);
        string[] ask = ["/bin/sh", "-c", Ask + "ask pod/uuid"];
        Assert.Equal(pod.Uuid, await ServicePods.ExecAsync(pod, null, ask));
        await first.DisposeAsync();
        await using (PodExec exec = await pod.ExecAsync(null, ask))
        {
            Assert.NotEqual(0, (await exec.WaitAsync()).ExitCode);
        }

        await using PodRuntime other = _pods.NewRuntime();
        await using MetadataService again = await MetadataService.StartAsync(other);
        Assert.Equal([pod.Uuid], again.Pods);
        Assert.Equal(pod.Uuid, await ServicePods.ExecAsync(pod, null, ask));

        // A socket that was left would keep the pod's network for ever.
        await pod.StopAsync(TimeSpan.Zero);
        using CancellationTokenSource limit = new(ServicePods.Limit);
        while (again.Pods.Count > 0)
        {
            await Task.Delay(5, limit.Token);
        }
    }

    [Fact]
    public async Task An_app_that_is_added_asks_for_itself()
    {
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime);
        Pod pod = await _pods.RunAsync(new PodSpec { Mutable = true });
        AppSpec app = await _pods.AppAsync(Ask + "ask apps/$AC_APP_NAME/image/id");
        app.Name = "late";
        await pod.AddAppAsync(app);
        await ServicePods.WaitForOutputAsync(pod, "sha512-", "late");
        Assert.Equal(app.Image.Id.ToString(), await pod.ReadOutputAsync("late"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pods_in_the_hosts_network_are_told_apart_by_their_urls(bool fly)
    {
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime, new MetadataServiceOptions { HostEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        AppSpec app = await _pods.AppAsync("echo \"$AC_METADATA_URL\"; " + Ask + "ask pod/uuid; sleep 1000");
        string url = "";
        Pod? pod = null;
        for (int i = 0; i < 2; i++)
        {
            pod = await _pods.RunAsync(new PodSpec(app) { Stage1 = fly ? "fly" : null, Options = new Stage1Options { HostNetwork = true } });
            await ServicePods.WaitForOutputAsync(pod, pod.Uuid);
            string own = (await pod.ReadOutputAsync()).Split('\n')[0];
            Assert.NotEqual(url, own);
            url = own;
            Assert.StartsWith($"http://{service.HostEndPoint}/", url, StringComparison.Ordinal);
        }

        Assert.Empty(service.Pods);
        using HttpClient client = new();
        Assert.Equal(pod!.Uuid, await client.GetStringAsync(new Uri(url + "/acMetadata/v1/pod/uuid")));
        using HttpResponseMessage wrong = await client.GetAsync(new Uri($"http://{service.HostEndPoint}/{new string('0', 64)}/acMetadata/v1/pod/uuid"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        await pod.StopAsync(TimeSpan.Zero);
        using HttpResponseMessage ended = await client.GetAsync(new Uri(url + "/acMetadata/v1/pod/uuid"));
        Assert.Equal(HttpStatusCode.Unauthorized, ended.StatusCode);
    }

    [Fact]
    public async Task A_pod_in_the_hosts_network_has_none_where_the_service_does_not_listen()
    {
        await using MetadataService service = await MetadataService.StartAsync(_pods.Runtime);
        Assert.Null(service.HostEndPoint);
        AppSpec app = await _pods.AppAsync("echo \"[$AC_METADATA_URL]\"");
        Pod pod = await _pods.RunAsync(new PodSpec(app) { Stage1 = "fly" });
        await pod.WaitAsync().WaitAsync(ServicePods.Limit);
        Assert.Equal("[]\n", await pod.ReadOutputAsync());
        PodException refused = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.RunAsync(new PodSpec(app) { Stage1 = "fly", Options = new Stage1Options { Metadata = MetadataMode.Required } }));
        Assert.Contains("does not listen", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MetadataMode.Required)]
    [InlineData(MetadataMode.Auto)]
    public async Task Where_the_service_fails_the_apps_do_not_wait_for_ever(MetadataMode mode)
    {
        // One that cannot do what it is asked, which the real one cannot be made to be.
        Directory.CreateDirectory(PodMetadata.DirectoryOf(_pods.Runtime.Root));
        using Socket socket = PodMetadata.Listen(_pods.Runtime.Root);
        Task serving = Task.Run(async () =>
        {
            while (true)
            {
                using Socket client = await socket.AcceptAsync();
                string answer = await PodMetadata.ReadLineAsync(client, CancellationToken.None) == PodMetadata.WhereRequest ? PodMetadata.Nowhere : "no room";
                await client.SendAsync(Encoding.ASCII.GetBytes(answer + "\n"));
            }
        });
        PodSpec spec = new(await _pods.AppAsync("echo started")) { Options = new Stage1Options { Metadata = mode } };
        if (mode == MetadataMode.Required)
        {
            PodException refused = await Assert.ThrowsAsync<PodException>(() => _pods.Runtime.RunAsync(spec).WaitAsync(ServicePods.Limit));
            Assert.Contains("no room", refused.Message, StringComparison.Ordinal);
            Assert.Empty(await _pods.Runtime.ListAsync());
        }
        else
        {
            Pod pod = await _pods.RunAsync(spec);
            await pod.WaitAsync().WaitAsync(ServicePods.Limit);
            Assert.Equal("started\n", await pod.ReadOutputAsync());
        }

        socket.Dispose();
        await Assert.ThrowsAnyAsync<SocketException>(() => serving);
    }

    [Fact]
    public async Task A_hostile_pod_is_refused_and_keeps_nobody_else_from_asking()
    {
        await using MetadataService service = await MetadataService.StartAsync(
            _pods.Runtime, new MetadataServiceOptions { Timeout = TimeSpan.FromSeconds(2), MaxFormBytes = 10_000, MaxConnections = 4 });
        Pod hostile = await _pods.RunAsync(new PodSpec(await _pods.AppAsync("echo \"$AC_METADATA_URL\"; sleep 1000")));
        Pod other = await _pods.RunAsync(new PodSpec(await _pods.AppAsync("echo \"$AC_METADATA_URL\"; sleep 1000")));
        await ServicePods.WaitForOutputAsync(hostile, "\n");
        await ServicePods.WaitForOutputAsync(other, "\n");
        string own = new Uri((await hostile.ReadOutputAsync()).Trim()).AbsolutePath;
        string foreign = new Uri((await other.ReadOutputAsync()).Trim()).AbsolutePath;
        string sign = $"POST {own}/acMetadata/v1/pod/hmac/sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        (string Request, int Status)[] cases =
        [
            ($"GET {own}/acMetadata/v1/pod/uuid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
            ($"GET http://anything{own}/acMetadata/v1/pod/uuid?x=y HTTP/1.0\r\n\r\n", 200),
            ($"HEAD {own}/acMetadata/v1/pod/manifest HTTP/1.0\r\n\r\n", 200),
            ($"GET {foreign}/acMetadata/v1/pod/uuid HTTP/1.0\r\n\r\n", 401),
            ("GET / HTTP/1.0\r\n\r\n", 401),
            ($"GET {own} HTTP/1.0\r\n\r\n", 404),
            ($"GET {own}/acMetadata/v1/pod HTTP/1.0\r\n\r\n", 404),
            ($"GET {own}/acMetadata/v1/apps/nobody/image/id HTTP/1.0\r\n\r\n", 404),
            ($"GET {own}/acMetadata/v1/apps/../pod/uuid HTTP/1.0\r\n\r\n", 404),
            ($"PUT {own}/acMetadata/v1/pod/uuid HTTP/1.0\r\n\r\n", 405),
            ($"GET {own}/acMetadata/v1/pod/hmac/sign HTTP/1.0\r\n\r\n", 405),
            (sign + "Content-Length: 9\r\nConnection: close\r\n\r\ncontent=a", 200),
            (sign + "Content-Length: 9\r\nExpect: 100-continue\r\nConnection: close\r\n\r\ncontent=a", 100),
            (sign + "Content-Length: 5\r\nConnection: close\r\n\r\nother", 400),
            (sign + "Content-Length: 19\r\nConnection: close\r\n\r\ncontent=a&content=b", 400),
            (sign + "Content-Length: 10001\r\n\r\n", 413),
            (sign + "Content-Length: -1\r\n\r\n", 400),
            (sign + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
            (sign + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
            (sign.Replace("x-www-form-urlencoded", "json", StringComparison.Ordinal) + "Content-Length: 2\r\nConnection: close\r\n\r\n{}", 415),
            ("\0\0\0\0\r\n\r\n", 400),
            ("GET\r\n\r\n", 400),
            ($"GET {own}/acMetadata/v1/pod/uuid HTTP/2.0\r\n\r\n", 400),
            ($"GET {own}/acMetadata/v1/pod/uuid HTTP/1.0\r\nno header\r\n\r\n", 400),
            ($"GET {own}/acMetadata/v1/pod/uuid HTTP/1.0\r\nA: b\nC: d\r\n\r\n", 400),
            ($"GET {own}/{new string('x', 9000)} HTTP/1.0\r\n\r\n", 431),
        ];
        foreach ((string request, int status) in cases)
        {
            string answer = await SendAsync(hostile, request);
            Assert.True(answer.StartsWith($"HTTP/1.1 {status} ", StringComparison.Ordinal), $"{request}: {answer}");
        }

        // Two requests at once are answered one after the other.
        string both = await SendAsync(hostile, $"GET {own}/acMetadata/v1/pod/uuid HTTP/1.1\r\n\r\nGET {own}/acMetadata/v1/pod/uuid HTTP/1.1\r\nConnection: close\r\n\r\n");
        Assert.Equal(3, both.Split(hostile.Uuid).Length);

        // Whoever takes all connections and says nothing only harms himself, and only for a while.
        List<Stream> idle = [];
        for (int i = 0; i < 20; i++)
        {
            idle.Add(await hostile.ConnectAsync(PodMetadata.PodPort));
        }

        Assert.Contains(other.Uuid, await SendAsync(other, $"GET {foreign}/acMetadata/v1/pod/uuid HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal("", await ReadAsync(idle[0]));
        idle.ForEach(s => s.Dispose());
        Assert.Contains(hostile.Uuid, await SendAsync(hostile, $"GET {own}/acMetadata/v1/pod/uuid HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
    }

    private static async Task<string> SendAsync(Pod pod, string request)
    {
        await using Stream stream = await pod.ConnectAsync(PodMetadata.PodPort);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        return await ReadAsync(stream);
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using StreamReader reader = new(stream, Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync().WaitAsync(ServicePods.Limit);
    }
}
