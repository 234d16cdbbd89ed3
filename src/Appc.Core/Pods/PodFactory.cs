using Appc.Images;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Turns a specification into a pod's directory in <c>prepare</c>, locked by the caller.</summary>
internal sealed class PodFactory(PodDirectories pods, ImageStore images, TimeProvider time, ILogger logger)
{
    /// <summary>A pod in <c>prepare</c>, its lock, and all that a flavour must know of it.</summary>
    internal sealed record Embryo(PodLocation Location, LockFile Lock, PodManifest Manifest, PodRecord Record);

    public async Task<Embryo> CreateAsync(PodSpec spec, IStage1 stage1, CancellationToken cancellationToken)
    {
        PodManifest manifest = PodReifier.Reify(spec, stage1);
        string uuid = Guid.NewGuid().ToString("D");
        RequireTrust(uuid, spec);
        ReportRestrictions(uuid, spec, manifest, stage1);

        List<IDisposable> holds = [];
        try
        {
            List<PodRecordApp> apps = [];
            foreach (AppSpec app in spec.Apps)
            {
                apps.Add(await HoldLayersAsync(app, manifest.Apps[apps.Count].Name, stage1, holds, cancellationToken).ConfigureAwait(false));
            }

            var record = new PodRecord
            {
                Stage1 = stage1.Name,
                Created = time.GetUtcNow(),
                Options = spec.Options with { PrivateUsers = spec.Options.PrivateUsers && stage1.Features.UserNamespaces },
                Apps = apps,
                RemoveOnExit = spec.RemoveOnExit,
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
        ImageId id = app.Image.Id;
        if (!stage1.Features.NeedsTrees)
        {
            holds.Add(await images.HoldAsync(id, cancellationToken).ConfigureAwait(false));
            return new PodRecordApp(name.ToString(), [], [id.ToString()]);
        }

        HeldLayers layers = await images.HoldLayersAsync(id, cancellationToken).ConfigureAwait(false);
        holds.Add(layers);
        return new PodRecordApp(name.ToString(), layers.Paths, [.. layers.Owners.Prepend(id).Distinct().Select(i => i.ToString())]);
    }

    private void RequireTrust(string uuid, PodSpec spec)
    {
        foreach (StoredImage image in spec.Apps.Select(a => a.Image).Where(i => i.Provenance.Signer is null))
        {
            if (spec.Trust.SignatureRequired)
            {
                throw new TrustException(
                    TrustFailure.Unsigned,
                    $"the image {image.Manifest.Name} ({ShortId(image.Id)}) was stored without a signature check and does not run",
                    "fetch it again with its signature, or allow it for this call (--insecure-options=image, TrustPolicy.Insecure)");
            }

            logger.RunsInsecureImage(uuid, image.Manifest.Name.ToString());
        }
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

        var isolators = manifest.Isolators.Select(i => (Owner: "the pod", Isolator: i))
            .Concat(manifest.Apps.SelectMany(a => a.App!.Isolators.Select(i => (Owner: $"the app {a.Name}", Isolator: i))));
        foreach ((string owner, Isolator isolator) in isolators.Where(i => !stage1.Features.EnforcedIsolators.Contains(i.Isolator.Name.ToString())))
        {
            logger.IsolatorNotEnforced(uuid, isolator.Name.ToString(), owner, stage1.Name);
        }
    }

    private static string ShortId(ImageId id) => id.ToString()[..19];

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
