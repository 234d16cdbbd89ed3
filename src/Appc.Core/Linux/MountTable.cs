using System.Text;
using System.Text.RegularExpressions;

namespace Appc.Linux;

/// <summary>A mount of this process's namespace.</summary>
/// <param name="Root">What of its file system is mounted.</param>
/// <param name="Point">Where.</param>
/// <param name="Type">The type of the file system.</param>
/// <param name="Options">The options of the file system.</param>
internal sealed record MountEntry(string Root, string Point, string Type, string[] Options);

/// <summary>The mounts of this process's namespace, in the order in which they were made.</summary>
internal static partial class MountTable
{
    /// <summary>Reads the table.</summary>
    /// <param name="wanted">Which lines are worth a closer look, as the kernel has written them: a host may have many. Null: all.</param>
    internal static IEnumerable<MountEntry> Read(Func<string, bool>? wanted = null)
    {
        foreach (string line in File.ReadLines("/proc/self/mountinfo", Encoding.UTF8))
        {
            if (wanted is not null && !wanted(line))
            {
                continue;
            }

            // 31 23 0:28 /root /mount/point options - type source options
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator >= 6 && fields.Length >= separator + 4)
            {
                yield return new MountEntry(Unescape(fields[3]), Unescape(fields[4]), fields[separator + 1], fields[separator + 3].Split(','));
            }
        }
    }

    /// <summary>White space and backslashes are written as three octal digits.</summary>
    private static string Unescape(string field) =>
        field.Contains('\\', StringComparison.Ordinal) ? Escape().Replace(field, m => ((char)Convert.ToInt32(m.Groups[1].Value, 8)).ToString()) : field;

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Escape();
}
