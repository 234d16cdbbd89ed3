using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Limits;

/// <summary>Kernel parameters that a pod can have of its own: those of its network and its IPC, and no others.</summary>
internal static class KernelParameters
{
    private static readonly string[] OfIpc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];

    // Before, only the host's root could set those of IPC, in whatever namespace.
    private static readonly Version IpcByPodsRoot = new(6, 10);

    /// <summary>The parameters of a pod that it can have, as paths of files and what to write there.</summary>
    internal static IEnumerable<(string Path, string Value)> Of(IReadOnlyList<Isolator> isolators, Stage1Options options) =>
        IsolatorReader.Find(isolators, IsolatorNames.Sysctl) is { } isolator
            ? Entries(isolator).Where(e => IsThePods(e.Key, options)).Select(e => ("/proc/sys/" + e.Key.Replace('.', '/'), e.Value))
            : [];

    /// <summary>Why some parameters are not set; null if all are.</summary>
    internal static (string Reason, string? Hint)? WhyNot(Isolator isolator, Stage1Options options)
    {
        string[] refused = [.. Entries(isolator).Select(e => e.Key).Where(k => !IsThePods(k, options))];
        return refused.Length == 0 ? null : (
            "a pod cannot have " + Printable.Text(string.Join(", ", refused)) + " of its own",
            "Those under net. are for pods with a network of their own; kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* for all (in a user namespace since Linux 6.10).");
    }

    private static IReadOnlyList<KeyValuePair<string, string>> Entries(Isolator isolator) =>
        (isolator as SysctlIsolator ?? (SysctlIsolator)Isolator.Create(isolator.Name, isolator.ValueJson)).Entries;

    private static bool IsThePods(string key, Stage1Options options)
    {
        bool wellFormed = !key.Contains("..", StringComparison.Ordinal) && !key.EndsWith('.') && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        return wellFormed && (key.StartsWith("net.", StringComparison.Ordinal)
            ? !options.HostNetwork
            : OfIpc.Any(p => key.StartsWith(p, StringComparison.Ordinal)) && (!options.PrivateUsers || Environment.OSVersion.Version >= IpcByPodsRoot));
    }
}
