using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>The unit by which the pod's kernel parameters are set, inside and before any app starts.</summary>
internal static class PodParameters
{
    internal const string Unit = "kernel-parameters.service";

    private const string Script = "kernel-parameters";

    // Where the pod's systemd, and no app, finds what is /proc/sys elsewhere. The kernel shows there whatever belongs to the namespaces of
    // the process that looks. In the pod's own /proc it is read-only, and since version 257 in that of any unit as well.
    private const string Shown = "parameters";
    private const string Root = "/proc/sys";

    private const string Failed = ".kernel-parameters";

    /// <summary>Writes the unit; false if the pod has no parameters.</summary>
    internal static bool Write(Stage1Pod pod, PodPaths paths)
    {
        StringBuilder script = new();
        foreach ((string path, string value) in KernelParameters.Of(pod.Manifest.Isolators, pod.Options))
        {
            string quoted = value.Replace("'", "'\\''", StringComparison.Ordinal);
            script.Append(CultureInfo.InvariantCulture, $"printf '%s\\n' '{quoted}' > {Stage1TreeFiles.PodDirectory}/{Shown}{path[Root.Length..]}\n");
        }

        if (script.Length == 0)
        {
            return false;
        }

        PodFilesWriter.MakeReadable(Path.Combine(paths.Files, Shown));
        PodFilesWriter.WriteFile(Path.Combine(paths.Files, Script), $"set -e\nexec 2> {Stage1TreeFiles.PodDirectory}/status/{Failed}\n{script}");
        PodFilesWriter.WriteFile(
            Path.Combine(paths.Units, Unit),
            new UnitText()
                .Section("Unit").Set("DefaultDependencies", "no").Set("StartLimitIntervalSec", "0").Set("FailureAction", "exit-force")
                .Section("Service").Set("Type", "oneshot").Set("ExecStart", $"/usr/bin/dash {Stage1TreeFiles.PodDirectory}/{Script}")
                .ToString());
        return true;
    }

    /// <summary>Shows them to the systemd inside.</summary>
    internal static void Show(LaunchPlan plan, Stage1Pod pod, string files)
    {
        if (KernelParameters.Of(pod.Manifest.Isolators, pod.Options).Any())
        {
            plan.Bind("show the pod's kernel parameters", Root, $"{files}/{Shown}", recursive: false);
        }
    }

    /// <summary>What went wrong inside; null if nothing did.</summary>
    internal static string? Failure(PodPaths paths) =>
        UntrustedFile.TryRead(Path.Combine(paths.Status, Failed))?.Text.Trim() is { Length: > 0 } text ? Printable.Text(text) : null;
}
