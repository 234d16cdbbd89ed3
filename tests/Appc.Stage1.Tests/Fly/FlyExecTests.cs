using System.Text;
using Appc.Manifests;

namespace Appc.Stage1.Fly;

public sealed class FlyExecTests
{
    private static readonly AcName Main = AcName.Parse("main");

    [Theory]
    [InlineData("0")]
    [InlineData("web")]
    public async Task A_command_has_all_of_the_isolation_of_the_app(string user)
    {
        const string Report = """
            for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done
            pwd; cat /proc/self/cgroup; readlink /proc/self/root
            grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|SigIgn|SigBlk|Umask)' /proc/self/status
            cat /proc/self/limits; env
            """;
        using FlyStage1 stage1 = new();
        using FlyPod pod = new();
        pod.Shell(Report + "\necho ready; while :; do sleep 0.05; done");
        pod.App = pod.App with { User = user };
        Stage1Process process = await stage1.StartAsync(pod.Describe());
        try
        {
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
            while (!pod.Output.Contains("ready", StringComparison.Ordinal))
            {
                await Task.Delay(5, limit.Token);
            }

            string expected = pod.Output.Replace("ready\n", "", StringComparison.Ordinal);
            await using Command command = new(await stage1.ExecAsync(pod.Describe(), process.Id, Main, new Stage1Command { Arguments = ["/bin/sh", "-c", Report] }));
            Assert.Equal(Sorted(expected), Sorted(Encoding.UTF8.GetString(await command.ReadOutputAsync())));
            Assert.Equal(new Stage1Exit(0, null), await command.Exec.Ended);
        }
        finally
        {
            await stage1.StopAsync(pod.Describe(), process.Id, TimeSpan.Zero);
            await process.Ended;
        }

        LaunchException e = await Assert.ThrowsAsync<LaunchException>(
            () => stage1.ExecAsync(pod.Describe(), process.Id, Main, new Stage1Command { Arguments = ["/bin/true"] }));
        Assert.Contains("does not run", e.Message, StringComparison.Ordinal);
    }

    private static string[] Sorted(string text) => [.. text.Split('\n').Where(l => !l.StartsWith("SHLVL", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
