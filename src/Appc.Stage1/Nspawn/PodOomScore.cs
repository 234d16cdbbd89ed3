using System.Globalization;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>How soon a running pod is killed when memory is short.</summary>
internal static class PodOomScore
{
    /// <summary>
    /// Lets the pod's process 1 give an app a score below its own: the kernel lets it go as low as it was last set by
    /// somebody who may, which is out here. Apps that run are not touched, and each that starts is given its own score.
    /// </summary>
    /// <exception cref="LaunchException">This process may not, or the pod has ended.</exception>
    internal static void Allow(NspawnApp app, Stage1ProcessId nspawn, Stage1ProcessId leader, string subject)
    {
        foreach (Stage1ProcessId process in (Stage1ProcessId[])[nspawn, leader])
        {
            if (app.OomScoreAdjustment < 0 && ProcFs.OomScoreAdjustment(process.Pid) is { } now && app.OomScoreAdjustment < now)
            {
                Set(process, app, subject);
            }
        }
    }

    private static void Set(Stage1ProcessId process, NspawnApp app, string subject)
    {
        try
        {
            using FileStream file = new(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/oom_score_adj"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);

            // The file is that of whoever had the number when it was opened, and of nobody who gets it later.
            if (!ProcessIdentity.IsAlive(process))
            {
                throw new LaunchException("prepare the app", 0, $"{subject}: the pod has ended");
            }

            file.Write(Encoding.ASCII.GetBytes(app.OomScoreAdjustment.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException(
                "protect the app from the OOM killer", 0, $"{subject}: the app {app.Name} cannot have the OOM score {app.OomScoreAdjustment}: {e.Message}",
                "A score below that of the pod needs CAP_SYS_RESOURCE on the host.", e);
        }
    }
}
