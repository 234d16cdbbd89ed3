using Appc.Manifests;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <content>Apps of running pods.</content>
public sealed partial class NspawnStage1
{
    /// <inheritdoc/>
    public IReadOnlyList<UnenforcedIsolator> FindUnenforced(Stage1Pod pod, AcName app)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(app);
        return IsolatorReport.Find(
            this, pod.Manifest with { Apps = [.. pod.Manifest.Apps.Where(a => a.Name == app)], Isolators = [] }, pod.Options, mutable: true, Modules,
            () => RunningLimits.Find(pod)?.Host(LimitHost.Find()) ?? LimitHost.None);
    }

    /// <inheritdoc/>
    public Task CheckAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default) =>
        ChangeAsync(pod, firstProcess, apps =>
        {
            apps.Check(app);
            return Task.CompletedTask;
        });

    /// <inheritdoc/>
    public Task AddAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default) =>
        ChangeAsync(pod, firstProcess, async apps =>
        {
            using HeldTree tree = await TreeOf(pod.Root).HoldAsync(cancellationToken).ConfigureAwait(false);
            await apps.AddAsync(app, tree, cancellationToken).ConfigureAwait(false);
        });

    /// <inheritdoc/>
    public Task StartAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default) =>
        ChangeAsync(pod, firstProcess, apps => apps.StartAsync(app, cancellationToken));

    /// <inheritdoc/>
    public Task StopAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, TimeSpan grace, CancellationToken cancellationToken = default) =>
        ChangeAsync(pod, firstProcess, apps => apps.StopAsync(app, grace, cancellationToken));

    /// <inheritdoc/>
    public Task RemoveAppAsync(Stage1Pod pod, Stage1ProcessId firstProcess, AcName app, CancellationToken cancellationToken = default) =>
        ChangeAsync(pod, firstProcess, apps => apps.RemoveAsync(app, cancellationToken));

    private async Task ChangeAsync(Stage1Pod pod, Stage1ProcessId firstProcess, Func<NspawnApps, Task> change)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(firstProcess);
        try
        {
            await change(new NspawnApps(pod, firstProcess, _options, Modules, _commands, _time)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new LaunchException("change the apps", 0, $"pod {pod.Uuid}: {e.Message}", null, e);
        }
    }
}
