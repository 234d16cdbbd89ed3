using System.Globalization;
using System.Text;
using Appc.Linux;

namespace Appc.Core.Tests.Images;

/// <summary>
/// A directory for a tree, beside, above and below things that must stay as they are: a file, a directory, a link and
/// a pipe next to it, and a file at the top of the file system's own name for it.
/// </summary>
internal sealed unsafe class ExtractionPlace : IDisposable
{
    /// <summary>Where the fuzzer and its test mount a file system of their own.</summary>
    public const string Mount = "/appc-fuzz";

    private readonly string _home = Path.Combine(Mount, "a", "b");
    private readonly string _before;

    public ExtractionPlace()
    {
        if (!Directory.Exists(_home))
        {
            Directory.CreateDirectory(_home);
            File.WriteAllText(Path.Combine(Mount, "victim"), "untouched\n");
            File.WriteAllText(Path.Combine(_home, "manifest"), "untouched\n");
            Directory.CreateDirectory(Path.Combine(_home, "beside"));
            File.CreateSymbolicLink(Path.Combine(_home, "link"), "beside");
        }

        Directory.CreateDirectory(Work);
        Directory.CreateDirectory(Tree);
        _before = Snapshot();
    }

    public string Work => Path.Combine(_home, "work");

    public string Tree => Path.Combine(_home, "rootfs");

    /// <exception cref="InvalidOperationException">Something outside the tree is not as it was.</exception>
    public void CheckCanaries()
    {
        string after = Snapshot();
        if (after != _before)
        {
            throw new InvalidOperationException($"outside the tree was\n{_before}\nand is\n{after}");
        }
    }

    public void Dispose()
    {
        TreeRemover.Remove(Tree);
        TreeRemover.Remove(Work);
    }

    private string Snapshot()
    {
        StringBuilder text = new();
        foreach (string path in Directory.EnumerateFileSystemEntries(Mount).Concat(Directory.EnumerateFileSystemEntries(_home)).Concat(Directory.EnumerateFileSystemEntries(Path.Combine(_home, "beside"))).Append(Mount).Append(_home).Order(StringComparer.Ordinal))
        {
            fixed (byte* p = Fd.PathBytes(path))
            {
                ErrnoException.ThrowIfFailed(Libc.StatAt(Libc.AT_FDCWD, p, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx s), "statx");
                text.Append(CultureInfo.InvariantCulture, $"{path} ");
                text.AppendLine(path == Tree ? "" : string.Create(CultureInfo.InvariantCulture, $"{s.Mode:x} {s.Uid}:{s.Gid} {s.Links} {s.Size} {s.ModifyTime.Seconds}.{s.ModifyTime.Nanoseconds} {s.ChangeTime.Seconds}.{s.ChangeTime.Nanoseconds}"));
            }
        }

        return text.Append(File.ReadAllText(Path.Combine(Mount, "victim"))).Append(File.ReadAllText(Path.Combine(_home, "manifest"))).ToString();
    }
}
