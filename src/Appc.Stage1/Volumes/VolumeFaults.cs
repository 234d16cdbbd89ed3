using System.Text;
using Appc.Linux;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Volumes;

/// <summary>Says why the kernel refuses a volume.</summary>
internal static class VolumeFaults
{
    private const string Systems = "Id-mapped mounts are known to ext4, xfs, btrfs, and others by the kernel's version: tmpfs since Linux 6.3.";

    // More than these are not read by anybody.
    private const int MostListed = 4;

    // They are not what is at fault, unless the kernel is old.
    private static readonly string[] Usual = ["ext4", "xfs", "btrfs", "tmpfs"];


    /// <summary>The owners of the files cannot be mapped.</summary>
    internal static LaunchException Unmapped(LaunchException e, AppMount mount)
    {
        if (mount.Source is not { } source)
        {
            return new LaunchException(e.Step, e.Errno, e.Message, Systems, e);
        }

        List<(string Path, string Type)> all = Mounts();
        (string Path, string Type)[] meant =
            [.. all.Where(m => IsIn(source, m.Path)).OrderByDescending(m => m.Path.Length).Take(1), .. mount.Recursive ? all.Where(m => m.Path != source && IsIn(m.Path, source)) : []];
        bool several = meant.Length > 1;
        meant = [.. meant.Where(m => !Usual.Contains(m.Type)).DefaultIfEmpty(meant.FirstOrDefault()).Take(MostListed)];
        string what = e.Errno == Errno.EPERM ? "they are mapped already" : "not all of these file systems can map ids";
        return new LaunchException(
            e.Step, e.Errno, Printable.Text($"{e.Message}: {what} ({string.Join(", ", meant.Select(m => $"{m.Path}: {m.Type}"))})"),
            several ? "Leave out what is mounted below the source by recursive=false. " + Systems : Systems + " Without a user namespace (PrivateUsers) nothing is mapped.", e);
    }

    private static bool IsIn(string path, string directory) => path == directory || MountPath.IsBelow(path, directory.TrimEnd('/'));

    private static List<(string Path, string Type)> Mounts()
    {
        List<(string, string)> mounts = [];
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator > 4 && fields.Length > separator + 1)
            {
                mounts.Add((Unescape(fields[4]), fields[separator + 1]));
            }
        }

        return mounts;
    }

    /// <summary>White space and backslashes are written as three octal digits.</summary>
    private static string Unescape(string field)
    {
        StringBuilder text = new(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }
}
