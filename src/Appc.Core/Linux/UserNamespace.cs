using System.Globalization;
using System.Runtime.InteropServices;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Linux;

/// <summary>Makes user namespaces without a process in them.</summary>
internal static class UserNamespace
{
    /// <summary>
    /// Makes a user namespace in which the ids from 0 are the ids from a base here, for users and groups alike.
    /// </summary>
    /// <param name="firstId">The id here that is 0 there.</param>
    /// <param name="count">How many ids there are.</param>
    /// <returns>A descriptor that holds the namespace; close-on-exec.</returns>
    /// <exception cref="LaunchException">The kernel refuses.</exception>
    internal static SafeFileHandle Create(uint firstId, uint count)
    {
        // A child that is born into the namespace and ends at once. Until it is reaped its namespace can be
        // mapped and opened through /proc, and it does not run anything meanwhile.
        using LaunchPlan plan = new("user namespace", (ulong)LibC.CLONE_NEWUSER);
        LaunchedProcess child = plan.StartEnded();
        try
        {
            string map = string.Create(CultureInfo.InvariantCulture, $"0 {firstId} {count}\n");
            string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{child.Pid}");
            Write(directory + "/uid_map", map);
            Write(directory + "/gid_map", map);
            return ProcessNamespace.TryHold(child.Pid, "user") ?? throw new LaunchException(
                "open the user namespace", LibC.errno, $"user namespace: cannot open {directory}/ns/user: {Marshal.GetPInvokeErrorMessage(LibC.errno)}");
        }
        finally
        {
            LaunchPlan.Reap(child.PidFd);
        }
    }

    private static void Write(string path, string text)
    {
        // The kernel takes a map in a single write only.
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
            RandomAccess.Write(file, System.Text.Encoding.ASCII.GetBytes(text), 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LaunchException("map user ids", e.HResult & 0xffff, $"user namespace: cannot write {path}: {e.Message}", null, e);
        }
    }
}
