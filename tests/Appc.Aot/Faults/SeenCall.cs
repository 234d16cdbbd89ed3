namespace Appc.Aot.Faults;

/// <summary>A call that was met.</summary>
/// <param name="Call">Which.</param>
/// <param name="Writes">Whether it changes something.</param>
/// <param name="Path">What it is about, below the directory that counts.</param>
internal sealed record SeenCall(SystemCallEntry Call, bool Writes, string Path)
{
    public override string ToString() => $"{Call.Name} {Path}";
}
