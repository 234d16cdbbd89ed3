using System.Diagnostics;
using Appc.Manifests;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;

namespace Appc.Stage1.Limits;

/// <summary>Transfers of three million bytes under a limit of one million a second.</summary>
public sealed class NetworkLimitTests(NspawnFixture fixture)
{
    private const string Limited = """{"default":true,"limit":"1M"}""";
    private const int Blocks = 48;

    // Three seconds less what may go at once; loopback and the unlimited app must be well below that.
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task An_app_is_held_to_its_limit_and_another_is_not()
    {
        using Neighbour neighbour = new();
        using NspawnPod pod = new(fixture);
        pod.Shell("echo ready; sleep 600", a => a with { Isolators = [NspawnPod.Isolator("resource/network-bandwidth", Limited)] })
            .Shell("echo ready; sleep 600");
        Stage1Process process = await pod.StartAndWaitForAsync("ready");
        await pod.WaitForAsync("ready", "app2");
        try
        {
            neighbour.ConnectTo(pod.Leader!.Pid);
            neighbour.Receive(7000);
            Assert.True(await TimeAsync(pod, process, "main", Sends(neighbour, 7000)) > Half);
            neighbour.Receive(7001);
            TimeSpan free = await TimeAsync(pod, process, "app2", Sends(neighbour, 7001));
            neighbour.Send(7002, Blocks);
            TimeSpan received = await TimeAsync(pod, process, "main", Receives(neighbour, 7002));
            Assert.True(received > Half, $"{received} to receive");
            TimeSpan inside = await TimeAsync(
                pod, process, "main", $"busybox nc -l -p 7003 > /dev/null & sleep 0.2; dd if=/dev/zero bs=65536 count={10 * Blocks} | busybox nc 127.0.0.1 7003");
            Assert.True(inside < 10 * Half, $"{inside} within the pod");
            Assert.True(free < received, $"{free} without a limit, {received} with one");
        }
        finally
        {
            await fixture.Stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
            await process.Ended.WaitAsync(Limit);
        }

        pod.AssertNothingIsLeft();
    }

    [Fact]
    public async Task The_hosts_network_is_limited_for_the_pod_alone()
    {
        using Neighbour neighbour = new();
        neighbour.ConnectHere();
        neighbour.Receive(7000);
        using FlyStage1 stage1 = new();
        using FlyPod pod = new();
        pod.Shell(Sends(neighbour, 7000).Replace("busybox", "/bin/busybox", StringComparison.Ordinal));
        pod.Isolators = [Isolator.Create("resource/network-bandwidth", Limited)];
        Assert.Empty(stage1.FindUnenforced(pod.Describe().Manifest, new Stage1Options()));
        long begin = Stopwatch.GetTimestamp();
        await pod.RunAsync(stage1);
        TimeSpan limited = Stopwatch.GetElapsedTime(begin);
        Assert.Equal("exited 0 success", pod.Status);
        Assert.True(limited > Half, $"{limited}");
        Assert.False(Directory.Exists($"{PodCGroup.FindOwn("test").Own}/{PodCGroup.NameOf(pod.Describe().Uuid)}"));

        neighbour.Receive(7001);
        begin = Stopwatch.GetTimestamp();
        using Process free = Process.Start("sh", ["-c", Sends(neighbour, 7001)]);
        await free.WaitForExitAsync();
        Assert.True(Stopwatch.GetElapsedTime(begin) < limited);
    }

    private static string Sends(Neighbour to, int port) => $"busybox dd if=/dev/zero bs=65536 count={Blocks} | busybox nc {to.Address} {port}";

    private static string Receives(Neighbour from, int port) => $"busybox nc {from.Address} {port} | busybox wc -c | busybox grep -q {Blocks * 65536}";

    private async Task<TimeSpan> TimeAsync(NspawnPod pod, Stage1Process process, string app, string script)
    {
        long begin = Stopwatch.GetTimestamp();
        await using Command command = new(await fixture.Stage1.ExecAsync(
            pod.Describe(), process.Id, AcName.Parse(app), new Stage1Command { Arguments = ["/bin/sh", "-c", script] }));
        await command.WriteAsync([]);
        Stage1Exit exit = await command.Exec.Ended.WaitAsync(Limit);
        Assert.True(exit.ExitCode == 0, $"{script}: {exit} {await command.ReadErrorAsync()}");
        return Stopwatch.GetElapsedTime(begin);
    }
}
