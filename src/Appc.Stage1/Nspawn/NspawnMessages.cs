using System.Globalization;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

/// <summary>What systemd-nspawn prints, for error messages.</summary>
internal static class NspawnMessages
{
    /// <summary>The last line that says something; null if there is none.</summary>
    internal static string? LastOf(string logPath)
    {
        try
        {
            string? line = File.ReadLines(logPath).LastOrDefault(IsOfInterest)?.Trim();
            return line is null ? null : Printable.Text(line.Length > 300 ? line[..300] : line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static string? HintFor(string reason) =>
        reason.Contains("ID mapped", StringComparison.OrdinalIgnoreCase)
            ? "The file system of the data directory must know id-mapped mounts (ext4, xfs, btrfs, tmpfs since Linux 6.3)."
            : null;

    /// <summary>Systemd says nothing about what it lacks; this is what runs out first where many pods run.</summary>
    internal static string? HintForSilence()
    {
        const int Enough = 1024;
        const string Path = "/proc/sys/fs/inotify/max_user_instances";
        return int.TryParse(PodPaths.ReadText(Path), NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit < Enough
            ? $"Each pod needs three inotify instances, and the host allows {limit} for all of them: sysctl fs.inotify.max_user_instances=8192"
            : null;
    }

    // Said on every run where /run is not a tmpfs; harmless.
    private static bool IsOfInterest(string line) =>
        !string.IsNullOrWhiteSpace(line) && !line.StartsWith("Attempted to remove disk file system", StringComparison.Ordinal)
        && !line.StartsWith("Failed to send readiness notification", StringComparison.Ordinal);
}
