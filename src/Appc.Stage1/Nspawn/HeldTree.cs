using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>A stage1 tree that is not removed as long as a copy of its descriptor is open.</summary>
/// <param name="Path">The tree.</param>
/// <param name="Directory">Its directory, under a shared lock.</param>
internal sealed record HeldTree(string Path, Fd Directory) : IDisposable
{
    public void Dispose() => Directory.Dispose();
}
