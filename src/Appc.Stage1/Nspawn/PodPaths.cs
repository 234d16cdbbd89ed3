using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>The files of an nspawn pod in its directory.</summary>
internal sealed class PodPaths(Stage1Pod pod)
{
    /// <summary>Name of the socket on which nspawn tells about itself.</summary>
    internal const string NotifyName = "notify";

    /// <summary>Name of the directory of inputs, in what the pod's process 1 sees.</summary>
    internal const string InputsName = "inputs";

    /// <summary>Name of the directory of shared objects, in what the pod's process 1 sees.</summary>
    internal const string ObjectsName = "objects";

    /// <summary>What is the flavour's own.</summary>
    internal string Own { get; } = Path.Combine(pod.Directory, "stage1");

    internal string Logs { get; } = Path.Combine(pod.Directory, "logs");

    internal string Status { get; } = Path.Combine(pod.Directory, "status");

    /// <summary>What process 1 of the pod reads: its units and accounts.</summary>
    internal string Files => Path.Combine(Own, "pod");

    internal string Units => Path.Combine(Files, "units");

    internal string Apps => Path.Combine(Own, "apps");

    /// <summary>The layer of an app's own changes.</summary>
    internal string UpperOf(AcName app) => Path.Combine(Apps, app.ToString(), "upper");

    internal string Volumes => Path.Combine(Own, "volumes");

    /// <summary>Inputs of apps that are streams, which process 1 of the pod opens.</summary>
    internal string Inputs => Path.Combine(Files, InputsName);

    /// <summary>Where the hold of an app's input is recorded.</summary>
    internal string HeldInput(AcName app) => Path.Combine(Own, "held-" + app);

    /// <summary>What nspawn prints: it is of interest only when a start fails.</summary>
    internal string NspawnLog => Path.Combine(Own, "nspawn.log");

    /// <summary>Where process 1 of the pod is recorded, as <c>PID START BOOT</c>.</summary>
    internal string Leader => Path.Combine(Own, "leader");

    /// <summary>What says that somebody has stopped the pod, whether it had started its apps or not.</summary>
    internal string Stopped => Path.Combine(Own, "stopped");

    /// <summary>Where the directory of the pod's control group is recorded.</summary>
    internal string CGroup => Path.Combine(Own, "cgroup");

    /// <summary>Where the directories of the pod's version 1 control groups are recorded, one a line.</summary>
    internal string Limits => Path.Combine(Own, "limits");

    /// <summary>Where the first of the pod's user ids is recorded.</summary>
    internal string Range => Path.Combine(Own, "uidrange");

    /// <summary>The first of the pod's user ids; null if it has no range of its own.</summary>
    internal uint? ReadRange() => uint.TryParse(ReadText(Range), NumberStyles.None, CultureInfo.InvariantCulture, out uint first) ? first : null;

    /// <summary>A recorded process; null if there is none.</summary>
    internal static Stage1ProcessId? ReadProcess(string path)
    {
        string[]? words = ReadText(path)?.Split(' ');
        return words is [var pid, var start, ..]
            && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out long time)
            ? new Stage1ProcessId(number, time, words.Length > 2 ? words[2] : "")
            : null;
    }

    /// <summary>A recorded line; null if there is none.</summary>
    internal static string? ReadText(string path) =>
        SmallFile.TryReadContent(path) is { } content ? Encoding.UTF8.GetString(content).Trim() : null;

    /// <summary>Records a line, by rename.</summary>
    internal static void WriteText(string path, string text) => SmallFile.Replace(path, Encoding.UTF8.GetBytes(text + "\n"));
}
