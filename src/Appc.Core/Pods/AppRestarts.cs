using System.Globalization;
using Appc.Manifests;

namespace Appc.Pods;

/// <summary>
/// What the pod itself records about an app that is started again: <c>DIR/status/.restart-APP</c>, one line of fixed length,
/// which begins with <c>STATE STARTS CODE STATUS RESULT</c>. STATE is <c>running</c> or <c>ended</c>; the others tell of the last end, or are <c>-</c>.
/// The file's time is that of the last change.
/// </summary>
internal sealed record AppRestarts
{
    private const int Words = 5;

    /// <summary>Whether it runs; else it waits to be started again.</summary>
    public required bool Running { get; init; }

    /// <summary>How often it was started again.</summary>
    public required int Count { get; init; }

    /// <summary>Its last end as a status says it; null if it has not ended yet.</summary>
    public required string? LastLine { get; init; }

    /// <summary>Its exit code at its last end; null if it has none.</summary>
    public int? LastExitCode { get; init; }

    /// <summary>The signal at its last end; null if none ended it.</summary>
    public string? LastSignal { get; init; }

    /// <summary>When it was started last, or when it ended.</summary>
    public required DateTimeOffset Changed { get; init; }

    public static string NameOf(AcName app) => ".restart-" + app;

    /// <summary>Null if nothing is recorded. A line that is still being written counts as none.</summary>
    public static AppRestarts? Read(string directory, AcName app)
    {
        if (PodFiles.ReadStatusLine(directory, NameOf(app)) is not var (words, written)
            || words.Length < Words || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int starts))
        {
            return null;
        }

        (int? code, string? signal) = PodFiles.ReadEnd(words[2..]);
        return new AppRestarts
        {
            Running = words[0] == "running",
            Count = Math.Max(0, starts - 1),
            LastLine = words[2] == "-" ? null : $"{words[2]} {words[3]} {words[4]}",
            LastExitCode = code,
            LastSignal = signal,
            Changed = written,
        };
    }
}
