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
        PodManifest manifest = PodReifier.Reify(spec, stage1);
        string uuid = Guid.NewGuid().ToString("D");
        ReportRestrictions(uuid, spec, manifest, stage1);

        List<IDisposable> holds = [];
        try
        {
            List<PodRecordApp> apps = [];
            foreach (AppSpec app in spec.Apps)
            {
                apps.Add(await HoldLayersAsync(app, manifest.Apps[apps.Count].Name, stage1, holds, cancellationToken).ConfigureAwait(false));
            }

            TrustPolicy policy = spec.Trust ?? images.Trust;
            await trust.RequireAsync(uuid, apps.SelectMany(a => a.ImageIds).Select(ImageId.Parse), policy, cancellationToken).ConfigureAwait(false);

            var record = new PodRecord
            {
                Stage1 = stage1.Name,
                Created = time.GetUtcNow(),
                Options = spec.Options with { PrivateUsers = spec.Options.PrivateUsers && stage1.Features.UserNamespaces },
                Apps = apps,
                RemoveOnExit = spec.RemoveOnExit,
                Trust = policy,
            };
            return Write(uuid, manifest, record);
        }
        finally
        {
            // From here on the pod's own record keeps the images.
            holds.ForEach(h => h.Dispose());
        }
    }

    private Embryo Write(string uuid, PodManifest manifest, PodRecord record)
    {
        var location = new PodLocation(uuid, PodPhase.Prepare, pods.DirectoryOf(PodPhase.Prepare, uuid));
        LockFile? mine = null;
        try
        {
            pods.EnsureCreated();
            mine = LockFile.TryExclusive(pods.LockPathOf(uuid), create: true)
                ?? throw new PodException(PodFailure.Storage, $"the lock of the new pod {uuid} is held by somebody else");
            PodFiles.WriteNew(location.Directory, manifest, record);
            return new Embryo(location, mine, manifest, record);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PodException)
        {
            if (mine is not null)
            {
                TryDelete(location.Directory);
                mine.Delete();
                mine.Dispose();
            }

            throw e as PodException ?? new PodException(
                PodFailure.Storage, $"the pod {uuid} cannot be written below {pods.Root}: {e.Message}", "check permissions and free space of the data directory", e);
        }
    }

    private async Task<PodRecordApp> HoldLayersAsync(AppSpec app, AcName name, IStage1 stage1, List<IDisposable> holds, CancellationToken cancellationToken)
    {
        HeldLayers layers = await images.HoldLayersAsync(app.Image.Id, stage1.Features.NeedsTrees, cancellationToken).ConfigureAwait(false);
        holds.Add(layers);
        return new PodRecordApp(name.ToString(), layers.Paths, [.. layers.Images.Select(i => i.Id).Prepend(app.Image.Id).Distinct().Select(i => i.ToString())]);
    }

    private void ReportRestrictions(string uuid, PodSpec spec, PodManifest manifest, IStage1 stage1)
    {
        Stage1Options options = spec.Options;
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

        IReadOnlyList<UnenforcedIsolator> unenforced = UnenforcedIsolator.Find(stage1, manifest, options);
        if (spec.Strict && unenforced.Count > 0)
        {
            throw new PodException(
                PodFailure.HostUnsuitable,
                "the pod is not made, since it must be enforced and cannot be here: "
                    + string.Join("; ", unenforced.Select(u => $"{u.Isolator.Name} of {u.Owner} ({u.Reason})")),
                unenforced.FirstOrDefault(u => u.Hint is not null)?.Hint);
        }

        foreach (UnenforcedIsolator isolator in unenforced)
        {
            logger.IsolatorNotEnforced(uuid, isolator.Isolator.Name.ToString(), isolator.Owner, stage1.Name, isolator.Reason);
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
