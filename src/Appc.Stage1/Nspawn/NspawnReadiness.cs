using System.Globalization;
using Appc.Linux;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Apps that announce when they are ready. Their units have Type=notify, and the pod's systemd leaves a file when one of
/// them is ready: who wants to know it looks there, whoever started the pod.
/// </summary>
internal static class NspawnReadiness
{
    /// <summary>The unit that tells that systemd has begun to start the apps: only such pods take longer until they are started.</summary>
    internal const string BegunUnit = "pod-begun.service";

    private const string Mark = "/usr/bin/dash " + "/" + Stage1TreeFiles.MarkScript;
    private const string BegunName = ".begun";

    internal static bool IsAnnounced(Stage1Pod pod) => pod.Apps.Any(a => a.AnnouncesReadiness && !NspawnSockets.IsLazy(pod, a.Name));

    internal static string TypeOf(Stage1Pod pod, NspawnApp app) => Announces(pod, app) ? "notify" : "simple";

    /// <summary>What the unit of an app says about its readiness; after all else, so that it counts.</summary>
    internal static void WriteApp(UnitText unit, Stage1Pod pod, NspawnApp app)
    {
        if (Announces(pod, app))
        {
            // All of the app's processes: it may be a script that starts the server.
            unit.Set("NotifyAccess", "all").Set("ExecStartPost", $"+{Mark} {Stage1Pod.ReadyName(app.Name)}");
            if (pod.Options.ReadyTimeout is { } limit)
            {
                unit.Set("TimeoutStartSec", string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Ceiling(limit.TotalMilliseconds))}ms"));
            }
        }
    }

    internal static string WriteBegun() => new UnitText().Section("Unit").Set("DefaultDependencies", "no")
        .Section("Service").Set("Type", "oneshot").Set("ExecStart", $"{Mark} {BegunName}").ToString();

    /// <summary>Waits until the pod's systemd has begun to start the apps, and has left these marks.</summary>
    internal static async Task WaitUntilBegunAsync(PodPaths paths, NotifySocket socket, Action<int> onLeader, IReadOnlyList<string> marks, CancellationToken cancellationToken)
    {
        using DirectoryChanges changes = new(paths.Status);
        TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task ready = socket.WaitUntilReadyAsync(
            pid =>
            {
                onLeader(pid);
                known.TrySetResult();
            },
            cancellationToken);
        await (await Task.WhenAny(known.Task, ready).ConfigureAwait(false)).ConfigureAwait(false);
        while (!ready.IsCompletedSuccessfully && marks.Append(BegunName).Any(m => !File.Exists(Path.Combine(paths.Status, m))))
        {
            await changes.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool Announces(Stage1Pod pod, NspawnApp app) => app.App.AnnouncesReadiness && !NspawnSockets.IsLazy(pod, app.Name);
}
