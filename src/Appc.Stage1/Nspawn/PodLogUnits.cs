using System.Globalization;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>Keeps the logs of a pod to their limit, and notes their times, from inside: nobody outside is needed for it, and nobody stands between app and file.</summary>
internal static class PodLogUnits
{
    private const string Timer = "pod-logs.timer";
    private const string Service = "pod-logs.service";

    internal static IEnumerable<string> FirstUnits(Stage1Pod pod, NspawnHostServices host) => IsNeeded(pod, host) ? [Timer] : [];

    internal static IEnumerable<(string Name, string Text)> Units(Stage1Pod pod, NspawnHostServices host)
    {
        if (!IsNeeded(pod, host))
        {
            yield break;
        }

        yield return (Timer, new UnitText().Section("Unit").Set("DefaultDependencies", "no")
            .Section("Timer").Set("OnActiveSec", "2s").Set("OnUnitInactiveSec", "2s").Set("AccuracySec", "100ms").ToString());

        UnitText service = new UnitText().Section("Unit").Set("DefaultDependencies", "no").Set("StartLimitIntervalSec", "0")
            .Section("Service").Set("Type", "oneshot");
        if (pod.Options.LogTimes)
        {
            service.Set("ExecStart", "/usr/bin/dash /usr/lib/appc/note-log-times");
        }

        string files = string.Join(' ', pod.Apps.Select(a => $"{Stage1TreeFiles.PodDirectory}/logs/{a.Name}.out {Stage1TreeFiles.PodDirectory}/logs/{a.Name}.err"));
        if (pod.Options.LogLimit is { } limit)
        {
            service.Set("ExecStart", string.Create(CultureInfo.InvariantCulture, $"/usr/bin/dash /usr/lib/appc/keep-logs {limit} {files}"));
        }

        yield return (Service, service.ToString());
    }

    /// <summary>What the pod writes among its logs besides them.</summary>
    internal static string[] FilesOf(Stage1Pod pod) => pod.Options.LogTimes ? [PodLogTimes.Name, PodLogTimes.Name + "-last"] : [];

    private static bool IsNeeded(Stage1Pod pod, NspawnHostServices host) => PodLogUpkeep.IsNeeded(pod.Options) && !host.Journal;
}
