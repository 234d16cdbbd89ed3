using Appc.Images;
using Appc.Images.Building;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Makes images of what apps have left.</summary>
internal sealed class PodExporter(PodDirectories pods, ImageStore images, PodSupervisor supervisor)
{
    public async Task<ImageId> ExportAsync(string uuid, string? app, string path, AciBuildOptions options, CancellationToken cancellationToken)
    {
        PodLocation location = pods.Resolve(uuid);
        PodRecord record = PodSupervisor.RequireRecord(location);

        // A shared lock: the pod is not taken for one that runs, and stays until its image is written.
        using LockFile held = LockFile.TryShared(pods.LockPathOf(location.Uuid)) ?? throw NotEnded(location.Uuid, "runs, or is being removed");
        location = pods.Find(location.Uuid) ?? throw NotEnded(location.Uuid, "is gone");
        PodState state = PodStatusReader.StateOf(pods, location);
        if (state is not (PodState.Exited or PodState.ExitedGarbage))
        {
            throw NotEnded(location.Uuid, $"is {state}");
        }

        Stage1Pod pod = PodDescription.Make(pods.Root, location, PodFiles.ReadManifest(location.Directory), record);
        Stage1App one = PodSupervisor.FindApp(pod, app);
        IStage1 flavour = supervisor.Stage1Of(location.Uuid, record);
        if (flavour is not IStage1Layers flavourLayers || !OperatingSystem.IsLinux() || one.Layers.Count == 0)
        {
            throw new PodException(PodFailure.HostUnsuitable, $"the stage1 flavour {flavour.Name} of the pod {location.Uuid} keeps no files of its apps");
        }

        Stage1Layer own = flavourLayers.LayerOf(pod, one.Name);
        StoredImage image = await images.GetAsync(one.Runtime.Image.Id!, cancellationToken).ConfigureAwait(false);

        // The tree is whole: what the image depends on is part of it, and nothing is to be left out any more.
        ImageManifest manifest = image.Manifest with { Dependencies = [], PathWhitelist = [] };
        using Fd tree = MergedTree.Open(Directory.Exists(own.Directory) ? [.. one.Layers, own.Directory] : one.Layers);
        TreeView view = new(own.FirstId, own.Foreign.Select(f => "rootfs" + f).ToHashSet(StringComparer.Ordinal));
        return await AciWriter.BuildAsync(manifest, $"/proc/self/fd/{tree.Number}", path, options, view, cancellationToken).ConfigureAwait(false);
    }

    private static PodException NotEnded(string uuid, string what) => new(
        PodFailure.WrongState, $"no image can be made of the pod {uuid}, which {what}", "stop it first: only what an ended pod has left holds still");
}
