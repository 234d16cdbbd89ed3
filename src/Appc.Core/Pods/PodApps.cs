using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>
/// Changes the apps of running pods. An app is one of the pod while the pod's manifest names it. The pod's record names it
/// before that and after that, for as long as anything of it may be left: its images stay so long, and whoever changes the
/// apps next clears away what the record names and the manifest does not.
/// </summary>
internal sealed class PodApps(
    PodDirectories pods, ImageStore images, PodFactory factory, PodTrust trust, PodSupervisor supervisor, ILogger logger)
{
    private const string LockName = "apps.lock";

    public async Task<AppStatus> AddAsync(string uuid, AppSpec spec, bool start, TrustPolicy? policy, bool strict, CancellationToken cancellationToken)
    {
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.app.add");
        activity?.SetTag("appc.pod.uuid", uuid);
        using Change change = await BeginAsync(uuid, cancellationToken).ConfigureAwait(false);
        (RuntimeApp app, IReadOnlyList<Volume> volumes) = Reify(change, spec);
        activity?.SetTag("appc.app", app.Name.ToString());
        List<HeldLayers> holds = [];
        try
        {
            PodRecordApp held = await factory.HoldLayersAsync(spec, app.Name, change.Flavour, holds, cancellationToken).ConfigureAwait(false);
            held = held with { Volumes = volumes.Count == 0 ? null : [.. volumes.Select(v => v.Name.ToString())] };
            await trust.RequireAsync(uuid, holds.SelectMany(h => h.Images), policy ?? change.Record.Trust, cancellationToken).ConfigureAwait(false);
            PodManifest manifest = change.Manifest with { Apps = [.. change.Manifest.Apps, app], Volumes = [.. change.Manifest.Volumes, .. volumes] };
            PodRecord record = change.Record with { Apps = [.. change.Record.Apps, held] };
            Stage1Pod pod = change.Describe(pods.Root, manifest, record);
            await change.Stage1.CheckAppAsync(pod, change.First, app.Name, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<UnenforcedIsolator> unenforced = change.Stage1.FindUnenforced(pod, app.Name);
            Report(change, unenforced, strict || change.Record.Strict);
            if (PodIsolator.Record(manifest, unenforced) is { } more)
            {
                record = record with { Unenforced = [.. record.Unenforced ?? [], .. more] };
            }

            PodFiles.ReplaceRecord(change.Location.Directory, record);
            try
            {
                await change.Stage1.AddAppAsync(pod, change.First, app.Name, cancellationToken).ConfigureAwait(false);
                PodFiles.ReplaceManifest(change.Location.Directory, manifest);
            }
            catch (Exception e)
            {
                activity.Fail(e);
                await TakeBackAsync(change, app.Name).ConfigureAwait(false);
                throw;
            }

            if (start)
            {
                await change.Stage1.StartAppAsync(pod, change.First, app.Name, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // From here on the pod's own record keeps the images.
            holds.ForEach(h => h.Dispose());
        }

        return StatusOf(uuid, app.Name);
    }

    public async Task<AppStatus> StartAsync(string uuid, string app, CancellationToken cancellationToken)
    {
        using Change change = await BeginAsync(uuid, cancellationToken).ConfigureAwait(false);
        AcName name = Find(change, app);
        await change.Stage1.StartAppAsync(change.Describe(pods.Root), change.First, name, cancellationToken).ConfigureAwait(false);
        return StatusOf(uuid, name);
    }

    public async Task<AppStatus> StopAsync(string uuid, string app, TimeSpan grace, CancellationToken cancellationToken)
    {
        using Change change = await BeginAsync(uuid, cancellationToken).ConfigureAwait(false);
        AcName name = Find(change, app);
        await change.Stage1.StopAppAsync(change.Describe(pods.Root), change.First, name, grace, cancellationToken).ConfigureAwait(false);
        return StatusOf(uuid, name);
    }

    public async Task RemoveAsync(string uuid, string app, TimeSpan grace, CancellationToken cancellationToken)
    {
        using Change change = await BeginAsync(uuid, cancellationToken).ConfigureAwait(false);
        AcName name = Find(change, app);
        Stage1Pod pod = change.Describe(pods.Root);
        await change.Stage1.StopAppAsync(pod, change.First, name, grace, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> volumes = change.Record.Apps.FirstOrDefault(a => a.Name == name.ToString())?.Volumes ?? [];
        List<RuntimeApp> others = [.. change.Manifest.Apps.Where(a => a.Name != name)];
        change.Manifest = change.Manifest with
        {
            Apps = others,
            Volumes = [.. change.Manifest.Volumes.Where(v => !volumes.Contains(v.Name.ToString()) || others.Any(a => a.Mounts.Any(m => m.Volume == v.Name)))],
        };
        PodFiles.ReplaceManifest(change.Location.Directory, change.Manifest);
        await ClearAsync(change, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes the lock of a running pod's apps, and clears away what an interrupted call has left.</summary>
    private async Task<Change> BeginAsync(string uuid, CancellationToken cancellationToken)
    {
        PodLocation location = supervisor.RequireRunning(uuid);
        PodRecord record = PodSupervisor.RequireRecord(location);
        if (!record.Mutable)
        {
            throw new PodException(
                PodFailure.WrongState, $"the apps of the pod {uuid} cannot be changed: it runs those that it was made with", "make the pod with PodSpec.Mutable, run --mutable");
        }

        IStage1 flavour = supervisor.Stage1Of(uuid, record);
        IStage1Apps stage1 = flavour as IStage1Apps
            ?? throw new PodException(PodFailure.HostUnsuitable, $"the stage1 flavour {flavour.Name} of the pod {uuid} cannot change its apps");
        LockFile mine = await LockAsync(location, cancellationToken).ConfigureAwait(false);
        try
        {
            // It may have ended while the lock was waited for.
            location = supervisor.RequireRunning(uuid);
            Change change = new(location, mine, flavour, stage1, supervisor.FirstProcessOf(location))
            {
                Record = PodSupervisor.RequireRecord(location),
                Manifest = PodFiles.ReadManifest(location.Directory),
            };
            await ClearAsync(change, cancellationToken).ConfigureAwait(false);
            return change;
        }
        catch
        {
            mine.Dispose();
            throw;
        }
    }

    private static async Task<LockFile> LockAsync(PodLocation location, CancellationToken cancellationToken)
    {
        try
        {
            return await LockFile.WaitExclusiveAsync(Path.Combine(location.Directory, LockName), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (!Directory.Exists(location.Directory))
        {
            throw PodSupervisor.NotRunning(location.Uuid);
        }
    }

    /// <summary>Clears away what the record names and the manifest does not.</summary>
    private async Task ClearAsync(Change change, CancellationToken cancellationToken)
    {
        List<PodRecordApp> gone = [.. change.Record.Apps.Where(r => change.Manifest.Apps.All(m => m.Name.ToString() != r.Name))];
        if (gone.Count == 0)
        {
            return;
        }

        foreach (PodRecordApp app in gone)
        {
            await change.Stage1.RemoveAppAsync(change.Describe(pods.Root), change.First, AcName.Parse(app.Name), cancellationToken).ConfigureAwait(false);
        }

        IReadOnlyList<PodRecordIsolator>? unenforced = change.Record.Unenforced is { } all ? [.. all.Where(u => gone.All(g => g.Name != u.App))] : null;
        change.Record = change.Record with { Apps = [.. change.Record.Apps.Except(gone)], Unenforced = unenforced };
        PodFiles.ReplaceRecord(change.Location.Directory, change.Record);
    }

    private async Task TakeBackAsync(Change change, AcName app)
    {
        try
        {
            await change.Stage1.RemoveAppAsync(change.Describe(pods.Root), change.First, app, CancellationToken.None).ConfigureAwait(false);
            PodFiles.ReplaceRecord(change.Location.Directory, change.Record);
        }
        catch (Exception e) when (e is AppcException or IOException or UnauthorizedAccessException)
        {
            // Whoever changes the apps next tries again, and with the pod all of it goes.
            logger.AppNotTakenBack(change.Location.Uuid, app.ToString(), e);
        }
    }

    /// <summary>Finds all that keeps an app from being added, before anything is written.</summary>
    private (RuntimeApp App, IReadOnlyList<Volume> Volumes) Reify(Change change, AppSpec spec)
    {
        PodSpec asked = new(spec) { Options = change.Record.Options, Mutable = true };
        foreach (Volume volume in change.Manifest.Volumes)
        {
            asked.Volumes.Add(volume);
        }

        PodManifest made = PodReifier.Reify(asked, change.Flavour, out IReadOnlyList<PodFinding> faults);
        List<PodFinding> findings = [.. faults];
        RuntimeApp? app = made.Apps.Count == 1 ? made.Apps[0] : null;
        if (app is not null && change.Manifest.Apps.Any(a => a.Name == app.Name))
        {
            findings.Add(new PodFinding(PodFailure.NameTaken, $"the pod has an app {app.Name} already", "give the new app a name of its own"));
        }

        foreach (Appc.Manifests.Port port in app?.App?.Ports ?? [])
        {
            if (change.Manifest.Ports.Any(p => p.Name == port.Name) && change.Manifest.Apps.Any(a => a.App?.Ports.Any(p => p.Name == port.Name) == true))
            {
                findings.Add(new PodFinding(PodFailure.BadSpec, $"the port {port.Name}, which the pod exposes, is that of another app already"));
            }
        }

        if (!images.Holds(spec.Image.Id))
        {
            findings.Add(new PodFinding(PodFailure.BadSpec, $"the image {spec.Image.Id} is not in the store", "fetch it again"));
        }

        return findings.Count == 0 ? (app!, [.. made.Volumes.Skip(change.Manifest.Volumes.Count)])
            : throw new PodException(CannotBeAdded(change), findings);
    }

    private void Report(Change change, IReadOnlyList<UnenforcedIsolator> unenforced, bool strict)
    {
        if (strict && unenforced.Count > 0)
        {
            throw new PodException(CannotBeAdded(change), [.. unenforced.Select(PodFactory.Refusal)]);
        }

        foreach (UnenforcedIsolator isolator in unenforced)
        {
            logger.IsolatorNotEnforced(change.Location.Uuid, isolator.Isolator.Name.ToString(), isolator.Owner, change.Flavour.Name, isolator.Reason);
        }
    }

    private static string CannotBeAdded(Change change) => $"the app cannot be added to the pod {change.Location.Uuid}";

    private AcName Find(Change change, string app) => PodSupervisor.FindApp(change.Describe(pods.Root), app).Name;

    private AppStatus StatusOf(string uuid, AcName app) =>
        supervisor.Look(uuid).Apps.FirstOrDefault(a => a.Name == app) ?? throw PodSupervisor.NotRunning(uuid);

    /// <summary>A pod whose apps are being changed, under their lock.</summary>
    private sealed class Change(PodLocation location, LockFile mine, IStage1 flavour, IStage1Apps stage1, Stage1ProcessId first) : IDisposable
    {
        public PodLocation Location { get; } = location;

        public IStage1 Flavour { get; } = flavour;

        public IStage1Apps Stage1 { get; } = stage1;

        public Stage1ProcessId First { get; } = first;

        public required PodManifest Manifest { get; set; }

        public required PodRecord Record { get; set; }

        public Stage1Pod Describe(string root) => Describe(root, Manifest, Record);

        public Stage1Pod Describe(string root, PodManifest manifest, PodRecord record) =>
            PodDescription.MakeStarted(root, Location, manifest, record) with { LockDescriptor = mine.Descriptor };

        public void Dispose() => mine.Dispose();
    }
}
