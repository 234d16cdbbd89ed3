using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>A set of system calls that an app can or cannot make. See <c>ace.md: Linux Isolators</c>.</summary>
public abstract record SeccompIsolator : Isolator
{
    /// <summary>The wildcard for every system call: in a retain set it turns filtering off.</summary>
    public const string All = "@appc.io/all";

    /// <summary>The wildcard for no system call: in a remove set it leaves what the executor blocks of its own accord.</summary>
    public const string Empty = "@appc.io/empty";

    private protected SeccompIsolator(string name, IReadOnlyList<string> set, string? errno)
        : base(name, writer => IsolatorJson.WriteSet(writer, set, errno))
    {
        Set = ValueList<string>.Of(set);
        Errno = errno is "" ? null : errno;
    }

    private protected SeccompIsolator(IsolatorSource source, ValueList<string> set, string? errno)
        : base(source)
    {
        Set = set;
        Errno = errno is "" ? null : errno;
    }

    /// <summary>Names of system calls, and wildcards that begin with <c>@</c>.</summary>
    public IReadOnlyList<string> Set { get; }

    /// <summary>Name of the error that a blocked call gives; null if the app is ended by <c>SIGSYS</c>.</summary>
    public string? Errno { get; }

    /// <summary>The wildcards of <see cref="Set"/>, such as <c>@appc.io/all</c>.</summary>
    public IReadOnlyList<string> Wildcards => Set.Where(static entry => entry.StartsWith('@')).ToArray();

    /// <summary>The system calls of <see cref="Set"/> without the wildcards.</summary>
    public IReadOnlyList<string> SystemCalls => Set.Where(static entry => !entry.StartsWith('@')).ToArray();
}
