using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Limits;

/// <summary>Limits what the processes of a version 2 control group send and receive, on whatever network.</summary>
internal static class NetworkLimit
{
    /// <summary>Why a pod's network is not limited here, or not all of it; null if it is.</summary>
    /// <param name="app">The app that the isolator is of; null for the pod.</param>
    /// <param name="manifest">The pod.</param>
    internal static (string Reason, string? Hint)? WhyNot(AcName? app, PodManifest manifest)
    {
        if (PodCGroup.FindHierarchy() is null)
        {
            return ("no version 2 control group hierarchy is mounted", null);
        }

        if (BandwidthProgram.Probe() is not 0 and int errno)
        {
            return ($"the kernel takes no program that counts packets: {Errno.Describe(errno)}", "It needs CONFIG_CGROUP_BPF and Linux 5.12, and this process CAP_BPF and CAP_NET_ADMIN.");
        }

        return manifest.Apps.Where(a => app is null || a.Name == app).Any(a => a.App?.Ports.Any(p => p.SocketActivated) == true)
            ? ("what comes through sockets of the host that an app is handed belongs to the host, and is not limited", "Let the app listen by itself.")
            : null;
    }

    /// <summary>Limits a group in which nobody is yet.</summary>
    /// <exception cref="LaunchException">The kernel refuses.</exception>
    internal static void Attach(string group, long bytesPerSecond, string subject)
    {
        try
        {
            using Fd directory = Fd.OpenDirectory(group);
            BandwidthProgram.Attach(directory, bytesPerSecond);
        }
        catch (ErrnoException e)
        {
            throw new LaunchException(
                "limit the network", e.Number, $"{subject}: the network cannot be limited: {e.Message}",
                "A program on a control group above may forbid others: see bpftool cgroup tree.", e);
        }
    }
}
