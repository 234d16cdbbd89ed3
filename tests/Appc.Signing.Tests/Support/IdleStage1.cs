using Appc.Stage1;

namespace Appc.Signing.Tests.Support;

/// <summary>A flavour whose pods end at once.</summary>
internal sealed class IdleStage1 : IStage1
{
    public string Name => "idle";

    public Stage1Features Features { get; } = new() { SeveralApps = true, NeedsTrees = false, InheritsLock = false };

    public int Started { get; private set; }

    public Task<Stage1HostReport> ProbeAsync(CancellationToken cancellationToken = default) => Task.FromResult(new Stage1HostReport());

    public Task<Stage1Process> StartAsync(Stage1Pod pod, CancellationToken cancellationToken = default)
    {
        Started++;
        return Task.FromResult(new Stage1Process(new Stage1ProcessId(0, 0, ""), Task.CompletedTask));
    }

    public Task StopAsync(Stage1Pod pod, Stage1ProcessId firstProcess, TimeSpan grace, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task CollectAsync(Stage1Pod pod, CancellationToken cancellationToken = default) => Task.CompletedTask;
}
