using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Adds up what a collection frees.</summary>
internal sealed class GarbageTally
{
    public long Bytes { get; set; }

    public int ControlGroups { get; private set; }

    public int IdRanges { get; private set; }

    public int Mounts { get; set; }

    public void Add(Stage1Garbage freed)
    {
        ControlGroups += freed.ControlGroups;
        IdRanges += freed.IdRanges;
    }
}
