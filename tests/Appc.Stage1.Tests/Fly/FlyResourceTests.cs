using System.Net;
using System.Net.Sockets;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Fly;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FlyResourceTests : IDisposable
{
    private readonly FlyStage1 _stage1 = new();
    private readonly FlyPod _pod = new();

    public void Dispose()
    {
        _stage1.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task Limits_of_processes_are_set_also_below_what_the_launch_needs()
    {
        _pod.Shell("grep -E 'open files|core file|locked memory|processes' /proc/self/limits");
        _pod.App = _pod.App with { User = "web" };
        Limit("nofile", "16:20");
        Limit("core", "0");
        Limit("memlock", "4096");
        Limit("nproc", "777");
        string[][] lines = [.. (await _pod.RunAsync(_stage1)).TrimEnd().Split('\n').Select(l => l[26..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2])];
        Assert.Equal(["0", "0"], lines[0]);
        Assert.Equal(["777", "777"], lines[1]);
        Assert.Equal(["16", "20"], lines[2]);
        Assert.Equal(["4096", "4096"], lines[3]);
    }

    [Theory]
    [InlineData("open", "1", "no limit 'open'")]
    [InlineData("nofile", "many", "'many' is no limit")]
    [InlineData("nofile", "2:1", "'2:1' is no limit")]
    [InlineData("nofile", "1:2:3", "is no limit")]
    public async Task A_limit_that_is_none_is_refused(string name, string value, string message)
    {
        _pod.Shell("true");
        Limit(name, value);
        LaunchException error = await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(_pod.Describe()));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Listening_sockets_are_handed_on(bool keeper)
    {
        using Socket first = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using Socket second = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        foreach (Socket socket in (Socket[])[first, second])
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.Listen();
        }

        _pod.Options = new Stage1Options { RecordsOwnEnd = keeper };
        _pod.Shell("echo $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES; readlink /proc/$$/fd/3; readlink /proc/$$/fd/4; ls /proc/$$/fd | grep -cv '^255$'");
        Stage1Pod pod = _pod.Describe();
        pod = pod with
        {
            Sockets = [new Stage1Socket(pod.Apps[0].Name, AcName.Parse("web"), first.SafeHandle, false), new Stage1Socket(pod.Apps[0].Name, AcName.Parse("admin"), second.SafeHandle, false)],
        };
        await (await _stage1.StartAsync(pod)).Ended.WaitAsync(TimeSpan.FromSeconds(60));
        string[] expected = ["1 2 web:admin", LinkOf(first), LinkOf(second)];
        Assert.Equal(expected, _pod.Output.Split('\n')[..3]);
        Assert.False(first.SafeHandle.IsClosed);

        Stage1Pod lazy = pod with { Sockets = [pod.Sockets[0] with { StartOnConnection = true }] };
        Assert.Contains("started by a connection to the port web", (await Assert.ThrowsAsync<LaunchException>(() => _stage1.StartAsync(lazy))).Message, StringComparison.Ordinal);

        static string LinkOf(Socket socket) => new FileInfo($"/proc/self/fd/{socket.SafeHandle.DangerousGetHandle()}").LinkTarget!;
    }

    [Fact]
    public async Task A_pod_has_a_control_group_of_its_own_if_it_is_asked_for()
    {
        _pod.Options = new Stage1Options { OwnControlGroup = true };
        _pod.Shell("grep -c appc-6733c088 /proc/self/cgroup; " + FlyPod.Waits);
        Stage1Process process = await _stage1.StartAsync(_pod.Describe());
        string group = Nspawn.PodPaths.ReadText(Path.Combine(_pod.Directory, "stage1/limits"))!;
        Assert.Contains(process.Id.Pid, PodCGroup.Processes(group));
        await FlyPod.GoOnAsync(process);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("1\n", _pod.Output);
        Assert.False(Directory.Exists(group));
    }

    [Fact]
    public async Task Grandchildren_that_have_left_their_session_end_with_the_app()
    {
        _pod.Shell("setsid sh -c 'setsid sleep 1000 & setsid sleep 1000 &' ; while [ $(grep -l sleep /proc/*/comm | grep -c .) -lt 2 ]; do sleep 0.01; done; sleep 0.01; echo there");
        Assert.Equal(0, Directory.GetDirectories("/proc").Count(IsSleepOfPod));
        Assert.Equal("there\n", await _pod.RunAsync(_stage1));
        Assert.Equal(0, Directory.GetDirectories("/proc").Count(IsSleepOfPod));

        bool IsSleepOfPod(string process) => File.Exists(process + "/cmdline") && Read(process + "/cmdline") is "sleep\01000\0" && Read(process + "/cgroup").Length > 0 && Read(process + "/mountinfo").Contains(_pod.Base, StringComparison.Ordinal);

        static string Read(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (IOException)
            {
                return string.Empty;
            }
        }
    }

    private void Limit(string name, string value) =>
        _pod.Runtime = _pod.Runtime with { Annotations = [.. _pod.Runtime.Annotations, new Annotation(ProcessLimit.Prefix + name, value)] };
}
