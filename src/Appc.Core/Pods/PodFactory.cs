using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Turns a specification into a pod's directory in <c>prepare</c>, locked by the caller.</summary>
internal sealed class PodFactory(PodDirectories pods, ImageStore images, PodTrust trust, TimeProvider time, ILogger logger)
{
    /// <summary>A pod in <c>prepare</c>, its lock, and all that a flavour must know of it.</summary>
    internal sealed record Embryo(PodLocation Location, LockFile Lock, PodManifest Manifest, PodRecord Record);

    public async Task<Embryo> CreateAsync(PodSpec spec, IStage1 stage1, CancellationToken cancellationToken)
    {
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.prepare");
        activity?.SetTag("appc.stage1", stage1.Name);
        try
        {
            Embryo embryo = await PrepareAsync(spec, stage1, cancellationToken).ConfigureAwait(false);
            activity?.SetTag("appc.pod.uuid", embryo.Location.Uuid);
            return embryo;
        }
        catch (Exception e)
        {
            activity.Fail(e);
            throw;
        }
    }

    private async Task<Embryo> PrepareAsync(PodSpec spec, IStage1 stage1, CancellationToken cancellationToken)
    {
        (PodManifest manifest, byte[] json, IReadOnlyList<UnenforcedIsolator> unenforced) = await CheckAsync(spec, stage1, cancellationToken).ConfigureAwait(false);
        string uuid = Guid.NewGuid().ToString("D");
        ReportRestrictions(uuid, spec.Options, unenforced, stage1);

        List<HeldLayers> holds = [];
        try
        {
            List<PodRecordApp> apps = [];
            foreach (AppSpec app in spec.Apps)
            {
                apps.Add(await HoldLayersAsync(app, manifest.Apps[apps.Count].Name, stage1, holds, cancellationToken).ConfigureAwait(false));
            }

            TrustPolicy policy = spec.Trust ?? images.Trust;
            await trust.RequireAsync(uuid, holds.SelectMany(h => h.Images), policy, cancellationToken).ConfigureAwait(false);

            var record = new PodRecord
            {
                Stage1 = stage1.Name,
                Created = time.GetUtcNow(),
                Options = spec.Options with { PrivateUsers = spec.Options.PrivateUsers && stage1.Features.UserNamespaces },
                Apps = apps,
                Name = spec.Name,
                Labels = spec.Labels.Count == 0 ? null : new SortedDictionary<string, string>(spec.Labels, StringComparer.Ordinal),
                Lifetime = spec.Lifetime,
                RemoveOnExit = spec.RemoveOnExit,
                Mutable = spec.Mutable,
                Strict = spec.Strict,
                Unenforced = PodIsolator.Record(manifest, unenforced),
                Trust = policy,
            };
            return await WriteAsync(uuid, manifest, json, record, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // From here on the pod's own record keeps the images.
            holds.ForEach(h => h.Dispose());
        }
    }

    /// <summary>What is said of an isolator that must be enforced.</summary>
    internal static PodFinding Refusal(UnenforcedIsolator isolator) => new(
        PodFailure.HostUnsuitable, $"{isolator.Isolator.Name} of {isolator.Owner} must be enforced and cannot be here ({isolator.Reason})", isolator.Hint);

    /// <summary>Finds all that keeps a pod from being made, before anything is written.</summary>
    private async Task<(PodManifest Manifest, byte[] Json, IReadOnlyList<UnenforcedIsolator> Unenforced)> CheckAsync(PodSpec spec, IStage1 stage1, CancellationToken cancellationToken)
    {
        PodManifest manifest = PodReifier.Reify(spec, stage1, out IReadOnlyList<PodFinding> faults);
        List<PodFinding> findings = [.. faults];
        if (spec.Name is { } name && pods.Names.Find(name) is { } holder)
        {
            PodException taken = PodNames.Taken(name, holder);
            findings.Add(new PodFinding(PodFailure.NameTaken, taken.Message, taken.Hint));
        }

        ImageException? missing = null;
        foreach (StoredImage image in spec.Apps.Select(a => a.Image).DistinctBy(i => i.Id))
        {
            if (images.Holds(image.Id))
            {
                continue;
            }

            try
            {
                await images.GetAsync(image.Id, cancellationToken).ConfigureAwait(false);
            }
            catch (ImageException e) when (e.Failure == ImageFailure.NotFound)
            {
                missing = e;
                findings.Add(new PodFinding(PodFailure.BadSpec, e.Message, e.Hint));
            }
        }

        IReadOnlyList<UnenforcedIsolator>? unenforced = null;
        if (spec.Strict)
        {
            unenforced = UnenforcedIsolator.Find(stage1, manifest, spec.Options, spec.Mutable);
            findings.AddRange(unenforced.Select(Refusal));
        }

        byte[] json = [];
        if (faults.Count == 0)
        {
            // What the schema demands beyond that: no port twice in the pod, no isolator without a value.
            try
            {
                json = manifest.ToJsonBytes();
            }
            catch (ManifestException e)
            {
                findings.AddRange(e.Findings.Count == 0
                    ? [new PodFinding(PodFailure.BadSpec, e.Message)]
                    : e.Findings.Select(f => new PodFinding(PodFailure.BadSpec, f.ToString())));
            }
        }

        return findings.Count == 0 ? (manifest, json, unenforced ?? UnenforcedIsolator.Find(stage1, manifest, spec.Options, spec.Mutable))
            : missing is not null && findings.Count == 1 ? throw missing
            : throw new PodException("the pod cannot be made", findings);
    }

    private async Task<Embryo> WriteAsync(string uuid, PodManifest manifest, byte[] json, PodRecord record, CancellationToken cancellationToken)
    {
        var location = new PodLocation(uuid, PodPhase.Prepare, pods.DirectoryOf(PodPhase.Prepare, uuid));
        LockFile? mine = null;
        try
        {
            pods.EnsureCreated();
            mine = LockFile.TryExclusive(pods.LockPathOf(uuid), create: true)
                ?? throw new PodException(PodFailure.Storage, $"the lock of the new pod {uuid} is held by somebody else");
            if (record.Name is { } name)
            {
                await pods.Names.ClaimAsync(name, uuid, cancellationToken).ConfigureAwait(false);
            }

            PodFiles.WriteNew(location.Directory, json, record);
            return new Embryo(location, mine, manifest, record);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PodException or OperationCanceledException)
        {
            if (mine is not null)
            {
                TryDelete(location.Directory);
                TryFreeName(record, uuid);
                mine.Delete();
                mine.Dispose();
            }

            if (e is OperationCanceledException)
            {
                throw;
            }

            throw e as PodException ?? new PodException(
                PodFailure.Storage, $"the pod {uuid} cannot be written below {pods.Root}: {e.Message}", "check permissions and free space of the data directory", e);
        }
    }

    public async Task<PodRecordApp> HoldLayersAsync(AppSpec app, AcName name, IStage1 stage1, List<HeldLayers> holds, CancellationToken cancellationToken)
    {
        HeldLayers layers = await images.HoldLayersAsync(app.Image.Id, stage1.Features.NeedsTrees, cancellationToken).ConfigureAwait(false);
        holds.Add(layers);
        return new PodRecordApp(name.ToString(), layers.Paths, [.. layers.Images.Select(i => i.Id).Prepend(app.Image.Id).Distinct().Select(i => i.ToString())]);
    }

    private void ReportRestrictions(string uuid, Stage1Options options, IReadOnlyList<UnenforcedIsolator> unenforced, IStage1 stage1)
    {
        (bool Off, string What)[] restrictions =
        [
            (!options.PrivateUsers && stage1.Features.UserNamespaces, "user namespace"),
            (options.KeepAllCapabilities, "capabilities"),
            (options.KeepKernelPaths, "kernel paths"),
            (options.NoSeccomp, "system call filter"),
        ];
        foreach ((_, string what) in restrictions.Where(r => r.Off))
        {
            logger.RunsUnrestricted(uuid, what);
        }

        foreach (UnenforcedIsolator isolator in unenforced)
        {
            logger.IsolatorNotEnforced(uuid, isolator.Isolator.Name.ToString(), isolator.Owner, stage1.Name, isolator.Reason);
        }
    }

    private void TryFreeName(PodRecord record, string uuid)
    {
        try
        {
            if (record.Name is { } name)
            {
                pods.Names.Free(name, uuid);
            }
        }
        catch (IOException)
        {
            // Stale from now on.
        }
    }

    private static void TryDelete(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // What stays is an interrupted preparation, which garbage collection knows.
        }
    }
}
