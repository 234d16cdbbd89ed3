using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Makes of a pod's directory what a flavour is handed.</summary>
internal static class PodDescription
{
    /// <summary>A pod that was started: with what was found out then.</summary>
    public static Stage1Pod MakeStarted(string root, PodLocation location, PodManifest manifest, PodRecord record) => Make(root, location, manifest, record) with
    {
        MetadataUrl = record.Options.Metadata == MetadataMode.None ? null : PodMetadata.Read(location.Directory)?.Url,
    };

    public static Stage1Pod Make(string root, PodLocation location, PodManifest manifest, PodRecord record) => new()
    {
        Uuid = location.Uuid,
        Directory = location.Directory,
        Root = root,
        Manifest = manifest,
        Options = record.Options,
        Mutable = record.Mutable,
        Apps = manifest.Apps.Select(app => new Stage1App
        {
            Name = app.Name,
            App = app.App ?? new App(),
            Runtime = app,
            Layers = record.Apps.FirstOrDefault(a => a.Name == app.Name.ToString())?.Layers ?? [],
        }).ToArray(),
    };

    /// <summary>A pod of which no more than its name is known.</summary>
    public static Stage1Pod Bare(string root, PodLocation location) => new()
    {
        Uuid = location.Uuid,
        Directory = location.Directory,
        Root = root,
        Manifest = new PodManifest(),
        Options = new Stage1Options(),
        Apps = [],
    };
}
