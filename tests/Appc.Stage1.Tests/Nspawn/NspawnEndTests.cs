using Appc.Linux;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Stage1.Nspawn;

public sealed class NspawnEndTests(NspawnFixture fixture) : IDisposable
{
    private readonly NspawnPod _pod = new(fixture);
    private readonly ProcessReaper _reaper = new();

    public void Dispose()
    {
        _reaper.Dispose();
        _pod.Dispose();
    }

    [Fact]
    public async Task What_one_has_recorded_of_a_lost_end_nobody_changes()
    {
        _pod.Shell("true");
        HashSet<string> recorded = [];
        for (int round = 0; round < 200; round++)
        {
            File.Delete(_pod.Describe().StatusPath(_pod.Describe().Apps[0].Name));

            // The one who started the pod has seen systemd-nspawn end in good order; the other one has killed what was left.
            Task<string> starter = ReadAfter(end => end.FinishAsync(Task.FromResult(new ProcessEnd(ProcessEndKind.Exited, 0))));
            Task<string> stopper = ReadAfter(end => end.StopAsync(new Stage1ProcessId(int.MaxValue, 1, ""), TimeSpan.Zero, CancellationToken.None));
            Assert.Equal(await starter, await stopper);
            recorded.Add(await starter);
        }

        Assert.Subset(new HashSet<string> { "unknown - pod", "killed KILL pod" }, recorded);
    }

    private Task<string> ReadAfter(Func<NspawnEnd, Task> act) => Task.Run(async () =>
    {
        await act(new NspawnEnd(_pod.Describe(), _reaper, NullLogger.Instance, TimeProvider.System));
        return _pod.Status();
    });
}
