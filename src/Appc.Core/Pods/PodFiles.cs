using System.Globalization;
using System.Text;
using System.Text.Json;
using Appc.Linux;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>The files in a pod's directory, by name and form.</summary>
internal static class PodFiles
{
    private const string ManifestName = "pod";
    private const string RecordName = "options.json";
    private const string FirstProcessName = "first";
    private const string LeaderName = "stage1/leader";

    public static void WriteNew(string directory, byte[] manifest, PodRecord record)
    {
        PodDirectories.MakeDirectory(directory);
        Directory.CreateDirectory(Path.Combine(directory, "logs"));
        Directory.CreateDirectory(Path.Combine(directory, "status"));
        SmallFile.Write(Path.Combine(directory, ManifestName), manifest);

        // Last, so that a directory with this file is complete.
        SmallFile.Write(Path.Combine(directory, RecordName), JsonSerializer.SerializeToUtf8Bytes(record, PodRecordContext.Default.PodRecord));
    }

    /// <summary>Replaces the manifest of a pod whose apps change: who reads finds the old one or the new one.</summary>
    public static void ReplaceManifest(string directory, PodManifest manifest) => Replace(Path.Combine(directory, ManifestName), manifest.ToJsonBytes());

    /// <summary>Replaces the record of a pod whose apps change.</summary>
    public static void ReplaceRecord(string directory, PodRecord record) =>
        Replace(Path.Combine(directory, RecordName), JsonSerializer.SerializeToUtf8Bytes(record, PodRecordContext.Default.PodRecord));

    public static PodManifest ReadManifest(string directory) => PodManifest.Parse(File.ReadAllBytes(Path.Combine(directory, ManifestName)));

    /// <summary>The manifest; null if it is missing or damaged, as after a power cut or in a half removed pod.</summary>
    public static PodManifest? TryReadManifest(string directory)
    {
        try
        {
            return SmallFile.TryRead(Path.Combine(directory, ManifestName)) is var (content, _) ? PodManifest.Parse(content) : null;
        }
        catch (ManifestException)
        {
            return null;
        }
    }

    /// <summary>Whether the manifest is there: not in a pod that is half removed.</summary>
    public static bool HasManifest(string directory) => File.Exists(Path.Combine(directory, ManifestName));

    /// <summary>Removes the manifest, before the rest of the pod.</summary>
    public static void RemoveManifest(string directory) => File.Delete(Path.Combine(directory, ManifestName));

    /// <summary>The pod's record; null if its preparation did not come that far, or if the file is damaged.</summary>
    /// <exception cref="PodException">The record was written by a newer version.</exception>
    public static PodRecord? ReadRecord(string directory)
    {
        PodRecord? record;
        try
        {
            record = SmallFile.TryRead(Path.Combine(directory, RecordName)) is var (content, _) ? JsonSerializer.Deserialize(content, PodRecordContext.Default.PodRecord) : null;
        }
        catch (JsonException)
        {
            return null;
        }

        return record is null || record.Version <= PodRecord.CurrentVersion ? record : throw new PodException(
            PodFailure.Storage,
            $"the pod {Path.GetFileName(directory)} was made by a newer version of this library (format {record.Version}, known is {PodRecord.CurrentVersion})",
            "use the newer version for it");
    }

    /// <summary>The pod's record as far as this version can read it; else null.</summary>
    public static PodRecord? TryReadRecord(string directory)
    {
        try
        {
            return ReadRecord(directory);
        }
        catch (PodException)
        {
            return null;
        }
    }

    /// <summary>What the pod's status needs of its record and its manifest.</summary>
    public static PodOutline ReadOutline(string directory) => PodOutline.Read(
        SmallFile.TryReadContent(Path.Combine(directory, RecordName)), SmallFile.TryReadContent(Path.Combine(directory, ManifestName)));

    /// <summary>Records the first process, and the program that started it and will record the end.</summary>
    public static void WriteFirstProcess(string directory, Stage1ProcessId process, Stage1ProcessId? starter)
    {
        string path = Path.Combine(directory, FirstProcessName);
        string boot = process.BootId.Length > 0 ? process.BootId : starter?.BootId is { Length: > 0 } own ? own : "-";
        SmallFile.Replace(path, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{process.Pid} {process.StartTime} {boot} {starter?.Pid ?? 0} {starter?.StartTime ?? 0}\n")));
    }

    /// <summary>The process that was started for the pod, and when; null if none was.</summary>
    public static (Stage1ProcessId Process, DateTimeOffset Started)? ReadFirstProcess(string directory) =>
        ReadProcess(Path.Combine(directory, FirstProcessName));

    /// <summary>The program that started the pod and, while it lives, records its end; null if that is not known.</summary>
    public static Stage1ProcessId? ReadStarter(string directory)
    {
        string[] words = SmallFile.TryRead(Path.Combine(directory, FirstProcessName)) is var (content, _) ? Words(Encoding.UTF8.GetString(content)) : [];
        return words.Length >= 5
            && int.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0
            && long.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
            ? new Stage1ProcessId(pid, start, words[2])
            : null;
    }

    /// <summary>
    /// A second process whose life means that the pod lives, recorded by flavours whose first process can die
    /// alone.
    /// </summary>
    public static Stage1ProcessId? ReadLeader(string directory) =>
        ReadProcess(Path.Combine(directory, LeaderName))?.Process;

    /// <summary>How an app ended and when; null if that was not recorded.</summary>
    public static (int? ExitCode, string? Signal, DateTimeOffset Finished)? ReadStatus(string directory, AcName app)
    {
        if (ReadStatusLine(directory, app.ToString()) is not { } line)
        {
            return null;
        }

        (int? exitCode, string? signal) = ReadEnd(line.Words);
        return (exitCode, signal, line.Written);
    }

    /// <summary>What the words of a status say.</summary>
    public static (int? ExitCode, string? Signal) ReadEnd(string[] words) => words switch
    {
        ["exited", var code, ..] when int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int exitCode) => (exitCode, null),
        ["killed" or "dumped", var signal, ..] => (null, SignalNumbers.NameOf(signal)),
        _ => (null, null),
    };

    /// <summary>What systemd calls the way in which an app ended, such as <c>timeout</c>; null if that was not recorded.</summary>
    public static string? ReadResult(string directory, AcName app) =>
        ReadStatusLine(directory, app.ToString()) is { Words.Length: > 2 } line ? line.Words[2] : null;

    /// <summary>Whether an app has announced that it is ready.</summary>
    public static bool ReadReady(string directory, AcName app) =>
        File.Exists(Path.Combine(directory, "status", Stage1Pod.ReadyName(app)));

    /// <summary>
    /// When an app of a mutable pod was begun, or ended since: its status file is there, and empty, from its start on. Null if
    /// it was never begun.
    /// </summary>
    public static DateTimeOffset? ReadBegun(string directory, AcName app) =>
        UntrustedFile.TryRead(Path.Combine(directory, "status", app.ToString()))?.Written;

    private static void Replace(string path, byte[] content)
    {
        string temporary = path + ".new";
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(content);
            FileFlush.ToDisk(file);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The words of a line that the pod has written among its statuses. One that is still being written counts as none.</summary>
    public static (string[] Words, DateTimeOffset Written)? ReadStatusLine(string directory, string name) =>
        UntrustedFile.TryRead(Path.Combine(directory, "status", name)) is { } file && file.Text.EndsWith('\n')
            ? (Words(file.Text), file.Written)
            : null;

    private static (Stage1ProcessId Process, DateTimeOffset Started)? ReadProcess(string path)
    {
        if (SmallFile.TryRead(path) is not var (content, written))
        {
            return null;
        }

        string[] words = Words(Encoding.UTF8.GetString(content));
        return words.Length >= 2
            && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
            ? (new Stage1ProcessId(pid, start, words.Length > 2 && words[2] != "-" ? words[2] : string.Empty), written)
            : null;
    }

    private static string[] Words(string text) => text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
