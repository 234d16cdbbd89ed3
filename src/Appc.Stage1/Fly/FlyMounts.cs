using System.Collections.Concurrent;
using Appc.Linux;
using Appc.Manifests;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Fly;

/// <summary>
/// Holds what is mounted for a pod until its end is recorded. Whoever lets go of a mount namespace last takes it down,
/// which waits for all processors several times; if that is the app, its end is not known before. Unmounting is a
/// matter for afterwards, and over before anybody removes the pod. If this program is killed, the kernel lets go.
/// </summary>
internal sealed class FlyMounts
{
    private readonly ConcurrentDictionary<string, Task> _leaving = new(StringComparer.Ordinal);

    /// <summary>
    /// Holds the mounts of a child that has not been reaped; null if they go with the child. A pod that has something of the
    /// host mounted keeps nothing of it busy once it has ended.
    /// </summary>
    internal static SafeFileHandle? TryHold(Stage1Pod pod, int pid) =>
        pod.Manifest.Volumes.Concat(pod.Apps[0].Runtime.Mounts.Select(m => m.AppVolume).OfType<Volume>()).Any(v => v.Kind == VolumeKind.Host) ? null : ProcessNamespace.TryHold(pid, "mnt");

    /// <summary>Lets go of the mounts, without waiting for it.</summary>
    internal void Release(Stage1Pod pod, SafeFileHandle? mounts)
    {
        if (mounts is null)
        {
            return;
        }

        Task leaving = new(mounts.Dispose);
        _leaving[pod.Uuid] = leaving;
        leaving.ContinueWith(
            _ => _leaving.TryRemove(new KeyValuePair<string, Task>(pod.Uuid, leaving)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        leaving.Start(TaskScheduler.Default);
    }

    /// <summary>Ends when an ended pod has no mounts any more.</summary>
    internal Task WaitAsync(Stage1Pod pod) => _leaving.TryGetValue(pod.Uuid, out Task? leaving) ? leaving : Task.CompletedTask;

    /// <summary>Waits until no pod that has ended has mounts any more.</summary>
    internal void Wait() => Task.WaitAll([.. _leaving.Values]);
}
