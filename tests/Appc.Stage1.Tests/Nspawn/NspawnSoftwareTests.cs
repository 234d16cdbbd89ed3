using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Servers of the distribution in pods, each as a user of its own with no rights: started, used, stopped gracefully,
/// and started once more in another pod over the same volume. Their trees are made by tests/support/software.sh.
/// </summary>
public sealed class NspawnSoftwareTests(NspawnFixture fixture) : IDisposable
{
    private const uint User = 999;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string _home = Directory.CreateTempSubdirectory("appc-software-").FullName;
    private readonly List<(NspawnPod Pod, Stage1Process Process)> _running = [];

    private string Data => Path.Combine(_home, "data");

    public void Dispose()
    {
        foreach ((NspawnPod pod, Stage1Process process) in _running)
        {
            if (!process.Ended.IsCompleted)
            {
                fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero).Wait(Limit);
            }

            pod.Dispose();
        }

        TreeRemover.Remove(_home);
    }

    [Fact]
    public async Task Redis_keeps_what_it_was_told()
    {
        string[] layers = await PrepareAsync("redis", "redis-server", "redis-tools");
        int port = FreePort();
        App app = new()
        {
            Exec = ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", Text(port), "--dir", "/data", "--save", "3600 1"],
            User = "daemon", Group = "daemon", WorkingDirectory = "/data",
        };
        (NspawnPod pod, Stage1Process process) = await StartAsync(layers, app, hostNetwork: true);
        Assert.Equal("+OK", await RedisAsync(port, "SET greeting hello"));
        await StopAsync(pod, process);
        AssertOwned("dump.rdb");

        (pod, process) = await StartAsync(layers, app, hostNetwork: true);
        Assert.Equal("hello", await RedisAsync(port, "GET greeting"));
        await StopAsync(pod, process);
    }

    [Fact]
    public async Task Nginx_serves_the_host_as_a_user_and_a_second_app_as_root()
    {
        string[] layers = await PrepareAsync("nginx", "nginx|nginx-light", "nginx-light|nginx", "nginx-common");
        int port = FreePort();
        string Configuration(string user, string listen) => $$"""
            {{user}} daemon off; pid /tmp/nginx.pid; error_log stderr; worker_processes 2;
            events { worker_connections 64; }
            http {
                access_log /data/access.log;
                client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
                server { listen {{listen}}; root /data; }
            }
            """;
        await File.WriteAllTextAsync(Path.Combine(layers[^1], "etc/user.conf"), Configuration("", $"127.0.0.1:{port}"));
        await File.WriteAllTextAsync(Path.Combine(layers[^1], "etc/root.conf"), Configuration("user daemon daemon;", "80"));
        await File.WriteAllTextAsync(Path.Combine(Data, "page"), "a page of the volume");
        App app = new() { Exec = ["/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/user.conf"], User = "daemon", Group = "daemon" };
        (NspawnPod pod, Stage1Process process) = await StartAsync(layers, app, hostNetwork: true);
        Assert.Equal("a page of the volume", await GetAsync(port, "page"));
        await StopAsync(pod, process);
        AssertOwned("access.log");

        // A second pod, with a network of its own: port 80, workers that nginx makes unprivileged itself, and a client beside it.
        App root = app with { User = "0", Group = "0", Exec = ["/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/root.conf"] };
        App client = new() { Exec = ["/bin/sh", "-c", "until wget -q -O - http://127.0.0.1/page; do sleep 0.05; done"], User = "nobody", Group = "nobody" };
        (pod, process) = await StartAsync(layers, root, hostNetwork: false, client);
        await EndedAsync(pod, process);
        Assert.Equal("a page of the volume", pod.Output("app2"));
        Assert.Equal(2, File.ReadLines(Path.Combine(Data, "access.log")).Count(l => l.Contains("GET /page", StringComparison.Ordinal) && l.Contains(" 200 ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Postgresql_makes_its_cluster_and_finds_it_again()
    {
        string[] layers = await PrepareAsync("postgresql", "@postgresql", "@postgresql-client");
        string programs = Assert.Single(Directory.GetDirectories(Path.Combine(layers[0], "usr/lib/postgresql")))[layers[0].Length..] + "/bin";
        App app = new()
        {
            Exec = [programs + "/postgres", "-D", "/data/cluster", "-k", "/tmp", "-c", "fsync=off", "-c", "jit=off"],
            User = "daemon", Group = "daemon", WorkingDirectory = "/data",
            EventHandlers = [new EventHandlerSpec("pre-start", ["/bin/sh", "-c", $"[ -d /data/cluster ] || {programs}/initdb -D /data/cluster -A trust -N --locale=C -E UTF8 -U daemon"])],
        };
        App Client(string sql) => new()
        {
            Exec = ["/bin/sh", "-c", $"until {programs}/psql -h 127.0.0.1 -U daemon -d postgres -qtA -c 'select 1' > /dev/null 2>&1; do sleep 0.1; done; exec {programs}/psql -h 127.0.0.1 -U daemon -d postgres -qtA -c \"$SQL\""],
            Environment = [new EnvironmentVariable("SQL", sql)],
            User = "nobody", Group = "nobody",
        };
        (NspawnPod pod, Stage1Process process) = await StartAsync(layers, app, hostNetwork: false, Client("create table t (word text); insert into t values ('hello')"));
        await EndedAsync(pod, process);
        Assert.Equal("", pod.Error("app2"));
        AssertOwned("cluster/PG_VERSION");

        (pod, process) = await StartAsync(layers, app, hostNetwork: false, Client("select word || ' again' from t"));
        await EndedAsync(pod, process);
        Assert.Equal("hello again\n", pod.Output("app2"));
        Assert.DoesNotContain("not properly shut down", pod.Error(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_counts_on()
    {
        string[] layers = await PrepareAsync("node", "nodejs");
        await File.WriteAllTextAsync(Path.Combine(layers[^1], "etc/server.js"), """
            const fs = require('fs'), crypto = require('crypto'), { Worker, isMainThread } = require('worker_threads');
            const file = '/data/count', read = () => fs.existsSync(file) ? Number(fs.readFileSync(file)) : 0;
            const server = require('http').createServer((request, answer) => {
                // A thread, the thread pool, and a file: what real programs do.
                new Worker('', { eval: true }).on('exit', () => crypto.pbkdf2('a', 'b', 1000, 16, 'sha256', () => {
                    fs.writeFileSync(file, String(read() + 1));
                    answer.end(`${read()} as ${process.getuid()}`);
                }));
            }).listen(Number(process.env.PORT), '127.0.0.1');
            process.on('SIGTERM', () => server.close(() => { console.log('bye'); process.exit(0); }));
            """);
        int port = FreePort();
        App app = new() { Exec = ["/usr/bin/node", "/etc/server.js"], User = "daemon", Group = "daemon", Environment = [new EnvironmentVariable("PORT", Text(port))] };
        (NspawnPod pod, Stage1Process process) = await StartAsync(layers, app, hostNetwork: true);
        Assert.Equal("1 as 999", await GetAsync(port, ""));
        Assert.Equal("2 as 999", await GetAsync(port, ""));
        await StopAsync(pod, process);
        Assert.Equal("bye\n", pod.Output());
        AssertOwned("count");

        (pod, process) = await StartAsync(layers, app, hostNetwork: true);
        Assert.Equal("3 as 999", await GetAsync(port, ""));
        await StopAsync(pod, process);
    }

    /// <summary>The layers of an image: the software, and one of the test's own on top.</summary>
    private async Task<string[]> PrepareAsync(string name, params string[] packages)
    {
        string tree = Path.Combine(Source(".software"), name);
        ProcessStartInfo start = new(Source("tests/support/software.sh"), [tree, .. packages]) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, error);
        string layer = Path.Combine(_home, "layer");
        Directory.CreateDirectory(Path.Combine(layer, "etc"));
        await File.WriteAllTextAsync(Path.Combine(layer, "etc/passwd"), $"root:x:0:0::/:/bin/sh\ndaemon:x:{User}:{User}::/data:/bin/sh\nnobody:x:998:998::/:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(layer, "etc/group"), $"root:x:0:\ndaemon:x:{User}:\nnobody:x:998:\n");
        Own(Directory.CreateDirectory(Data).FullName);
        return [tree, layer];
    }

    private async Task<(NspawnPod Pod, Stage1Process Process)> StartAsync(string[] layers, App app, bool hostNetwork, App? client = null)
    {
        NspawnPod pod = new(fixture)
        {
            Layers = layers,
            Options = new Stage1Options { HostNetwork = hostNetwork, ExitPolicy = PodExitPolicy.AnyExit },
            Volumes = [new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Host, Source = Data }],
        };
        pod.Add(app, new RuntimeApp { Mounts = [new Mount(AcName.Parse("data"), "/data")] });
        if (client is not null)
        {
            pod.Add(client);
        }

        Stage1Process process = await pod.StartAsync();
        _running.Add((pod, process));
        return (pod, process);
    }

    private async Task StopAsync(NspawnPod pod, Stage1Process process)
    {
        await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.FromSeconds(60));
        await EndedAsync(pod, process);
    }

    /// <summary>Waits for the end of a pod that ends well: every app by itself or when it was asked to.</summary>
    private static async Task EndedAsync(NspawnPod pod, Stage1Process process)
    {
        await process.Ended.WaitAsync(Limit);
        foreach (Stage1App app in pod.Describe().Apps)
        {
            string name = app.Name.ToString();
            Assert.True(pod.Status(name) == "exited 0 success", $"{name}: {pod.Status(name)}\n{pod.Output(name)}{pod.Error(name)}");
        }

        pod.AssertNothingIsLeft();
    }

    private void AssertOwned(string name)
    {
        Assert.True(Libc.TryStat(Path.Combine(Data, name), out Libc.Statx stat), $"the volume has no {name}");
        Assert.Equal(User, stat.Uid);
    }

    private static unsafe void Own(string path)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            Assert.Equal(0, Libc.fchownat(Libc.AT_FDCWD, p, User, User, 0));
        }
    }

    private async Task<string> RedisAsync(int port, string command)
    {
        using TcpClient client = await ConnectAsync(port);
        using StreamReader reader = new(client.GetStream());
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        string? line = await reader.ReadLineAsync();
        return line is ['$', ..] ? await reader.ReadLineAsync() ?? "" : line ?? "";
    }

    private async Task<string> GetAsync(int port, string path)
    {
        (await ConnectAsync(port)).Dispose();
        using HttpClient client = new() { Timeout = Limit };
        return await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/{path}"));
    }

    private async Task<TcpClient> ConnectAsync(int port)
    {
        using CancellationTokenSource limit = new(Limit);
        (NspawnPod pod, Stage1Process process) = _running[^1];
        while (true)
        {
            TcpClient client = new();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
                return client;
            }
            catch (SocketException)
            {
                client.Dispose();
                Assert.False(process.Ended.IsCompleted, "the server has ended: " + pod.Output() + pod.Error());
                await Task.Delay(20, limit.Token);
            }
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Source(string relative, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../..", relative));
}
