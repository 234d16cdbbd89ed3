using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>How the ids of a pod are those of the host: shifted into a range of its own, or the same.</summary>
internal sealed class IdMap : IDisposable
{
    private readonly SafeFileHandle? _userNamespace;
    private readonly IdRange? _range;

    private IdMap(uint first, SafeFileHandle? userNamespace, IdRange? range = null)
    {
        First = first;
        _userNamespace = userNamespace;
        _range = range;
    }

    /// <summary>The id on the host of the pod's root.</summary>
    internal uint First { get; }

    internal bool IsMapped => _userNamespace is not null;

    /// <summary>Descriptor of a user namespace with this map, for mounts; 0 if nothing is mapped.</summary>
    internal int Descriptor => _userNamespace is null ? 0 : (int)_userNamespace.DangerousGetHandle();

    /// <summary>Descriptor of the lock that says that the range is taken; -1 if there is none, or others hold it.</summary>
    internal int LockDescriptor => _range?.Lock.Number ?? -1;

    /// <summary>The ids of the pod are those of the host.</summary>
    internal static IdMap Same() => new(0, null);

    /// <summary>The ids of the pod from 0 are those of the host from another one.</summary>
    internal static IdMap Shifted(uint first) => new(first, UserNamespace.Create(first, IdRanges.Size));

    /// <summary>The same for a range that was just given to the pod, which is let go of with this.</summary>
    internal static IdMap Shifted(IdRange range)
    {
        try
        {
            return new(range.First, UserNamespace.Create(range.First, IdRanges.Size), range);
        }
        catch
        {
            range.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _userNamespace?.Dispose();
        _range?.Dispose();
    }
}
