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
            return line is null ? null : IsolatorReader.Printable(line.Length > 300 ? line[..300] : line);
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

    // Said on every run where /run is not a tmpfs; harmless.
    private static bool IsOfInterest(string line) =>
        !string.IsNullOrWhiteSpace(line) && !line.StartsWith("Attempted to remove disk file system", StringComparison.Ordinal)
        && !line.StartsWith("Failed to send readiness notification", StringComparison.Ordinal);
}
