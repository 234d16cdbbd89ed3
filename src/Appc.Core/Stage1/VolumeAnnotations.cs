using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>
/// What is asked of volumes beyond the specification, as annotations in the pod's manifest: that an empty volume lies in memory
/// (of the pod, <c>appc.io/executor/tmpfs/VOLUME</c>, the most bytes that it holds), and that an app gets a directory of a volume
/// instead of all of it (of the app, <c>appc.io/executor/sub-path/VOLUME</c>). Those of images do not count.
/// </summary>
internal static class VolumeAnnotations
{
    internal const string MemoryPrefix = "appc.io/executor/tmpfs/";
    internal const string SubPathPrefix = "appc.io/executor/sub-path/";

    // A page: less holds nothing.
    private const long LeastBytes = 4096;

    /// <summary>The most bytes of a volume in memory; null if it lies on disk.</summary>
    internal static long? SizeOf(IEnumerable<Annotation> ofPod, AcName volume) =>
        Find(ofPod, MemoryPrefix + volume) is { } text && Quantity.TryParse(text, out Quantity? size) && size.Value >= LeastBytes ? size.Value : null;

    /// <summary>The parts of the path of the directory in a volume that an app gets; none for all of the volume.</summary>
    internal static IReadOnlyList<string> SubPathOf(RuntimeApp app, AcName volume) =>
        Find(app.Annotations, SubPathPrefix + volume) is { } text ? ReadSubPath(text) ?? [] : [];

    /// <summary>What is wrong about the annotations of a pod and its apps.</summary>
    internal static IEnumerable<string> Check(IEnumerable<Annotation> ofPod, IReadOnlyList<Volume> volumes, IEnumerable<RuntimeApp> apps)
    {
        foreach (Annotation annotation in ofPod.Where(a => Is(a, MemoryPrefix)))
        {
            string name = annotation.Name.ToString()[MemoryPrefix.Length..];
            Volume? volume = volumes.FirstOrDefault(v => v.Name.ToString() == name);
            if (volume?.Kind != VolumeKind.Empty)
            {
                yield return $"the annotation {annotation.Name} is of {(volume is null ? "a volume that the pod does not have" : "a volume of the host")}: empty volumes can be in memory";
            }
            else if (SizeOf([annotation], volume.Name) is null)
            {
                yield return Printable.Text($"the volume {name} cannot be '{annotation.Value}' large: it is a quantity such as 64Mi, of at least {LeastBytes} bytes");
            }
        }

        foreach (RuntimeApp app in apps)
        {
            foreach (Annotation annotation in app.Annotations.Where(a => Is(a, SubPathPrefix)))
            {
                string name = annotation.Name.ToString()[SubPathPrefix.Length..];
                if (app.Mounts.All(m => m.Volume.ToString() != name))
                {
                    yield return $"the annotation {annotation.Name} of the app {app.Name} is of a volume that the app does not mount";
                }
                else if (ReadSubPath(annotation.Value) is null)
                {
                    yield return Printable.Text($"the app {app.Name} cannot have the directory '{annotation.Value}' of the volume {name}: it is a relative path that leads nowhere upwards");
                }
            }
        }
    }

    private static string[]? ReadSubPath(string text) =>
        MountPath.Normalize("/" + text) is { } path && !text.StartsWith('/') ? MountPath.NamesOf(path) : null;

    private static bool Is(Annotation annotation, string prefix) => annotation.Name.ToString().StartsWith(prefix, StringComparison.Ordinal);

    private static string? Find(IEnumerable<Annotation> annotations, string name) => annotations.FirstOrDefault(a => a.Name.ToString() == name)?.Value;
}
