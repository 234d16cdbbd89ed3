using System.Globalization;
using Appc.Linux;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

/// <summary>A stage1 tree that is not removed as long as a copy of its descriptor is open.</summary>
/// <param name="Path">The tree.</param>
/// <param name="Directory">Its directory, under a shared lock.</param>
internal sealed record HeldTree(string Path, Fd Directory) : IDisposable
{
    /// <summary>Systemd's sets of system calls, as they were when the tree was built.</summary>
    internal SystemCallSets SystemCallSets() =>
        new(File.ReadLines(System.IO.Path.Combine(Path, Stage1TreeFiles.SystemCallSets)), SystemdVersion());

    private int SystemdVersion() =>
        int.Parse(File.ReadAllText(System.IO.Path.Combine(Path, Stage1TreeFiles.SystemdVersion)), CultureInfo.InvariantCulture);

    public void Dispose() => Directory.Dispose();
}
