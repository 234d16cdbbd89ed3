using System.Globalization;
using System.Text;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Pods;

/// <summary>
/// How long the logs of a pod were at which times, for who reads them since one. A line of the file <c>logs/.times</c> has for each
/// log its name, its length in bytes, and the second since 1970 in which it was last written to.
/// </summary>
internal static class PodLogTimes
{
    /// <summary>The file.</summary>
    public const string Name = ".times";

    // Beyond this, every other line goes: the more is noted, the coarser it gets.
    private const int Limit = 128 * 1024;

    /// <summary>Notes the times of now, if anything was written since the last ones. Pods of nspawn do it themselves.</summary>
    public static void Note(string directory)
    {
        string path = PathOf(directory);
        string now;
        try
        {
            now = string.Join(' ', PodLogLimit.FilesOf(directory).Order(StringComparer.Ordinal).Select(Describe).OfType<string>());
        }
        catch (DirectoryNotFoundException)
        {
            // The pod has moved on.
            return;
        }

        string[] lines = (UntrustedFile.TryRead(path, Limit * 2)?.Text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > 0 && lines[^1] == now)
        {
            return;
        }

        bool tooMany = lines.Sum(l => l.Length + 1) > Limit;
        if (tooMany)
        {
            lines = [.. lines.Where((_, i) => i % 2 == 1)];
        }

        using SafeFileHandle? file = UntrustedFile.TryOpen(path, Libc.O_WRONLY | Libc.O_CREAT | (tooMany ? LibC.O_TRUNC : LibC.O_APPEND));
        if (file is not null)
        {
            byte[] text = Encoding.ASCII.GetBytes(string.Concat((tooMany ? [.. lines, now] : (string[])[now]).Select(l => l + "\n")));
            RandomAccess.Write(file, text, tooMany ? 0 : RandomAccess.GetLength(file));
        }
    }

    /// <summary>Where a log begins to hold what was written since a time: never later than that, and earlier by as much as was not noted.</summary>
    public static async Task<long> FindAsync(
        SafeFileHandle file, string name, string? directory, DateTimeOffset since, byte[] buffer, CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(file);
        if (File.GetLastWriteTimeUtc(file) < since)
        {
            return length;
        }

        string text = (directory is null ? null : UntrustedFile.TryRead(PathOf(directory), Limit * 2)?.Text) ?? "";
        long before = text.Split('\n').Select(l => Read(l, name, since)).Where(l => l <= length).DefaultIfEmpty().Max();
        return await LogTail.FindLineAsync(file, before, buffer, cancellationToken).ConfigureAwait(false);
    }

    private static string PathOf(string directory) => Path.Combine(directory, "logs", Name);

    private static long Read(string line, string name, DateTimeOffset since)
    {
        string[] words = line.Split(' ');
        int at = Array.IndexOf(words, name);

        // All of it was written before the second after the noted one.
        return at >= 0 && at + 2 < words.Length
            && long.TryParse(words[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            && long.TryParse(words[at + 2], NumberStyles.None, CultureInfo.InvariantCulture, out long written)
            && written < since.ToUnixTimeSeconds() ? length : 0;
    }

    private static string? Describe(string path)
    {
        using SafeFileHandle? file = UntrustedFile.TryOpen(path, Libc.O_RDONLY);
        return file is null ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileName(path)} {RandomAccess.GetLength(file)} {new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeSeconds()}");
    }
}
