namespace Appc.Linux;

/// <summary>How a process ended.</summary>
/// <param name="Kind">Whether it exited or a signal killed it.</param>
/// <param name="Value">The exit code or the number of the signal; 0 when unknown.</param>
internal readonly record struct ProcessEnd(ProcessEndKind Kind, int Value);

/// <summary>The ways in which a process ends.</summary>
internal enum ProcessEndKind
{
    /// <summary>It is gone; only its parent can know more.</summary>
    Gone,

    /// <summary>It exited with a code.</summary>
    Exited,

    /// <summary>A signal killed it.</summary>
    Killed,

    /// <summary>A signal killed it, and it left a core dump.</summary>
    Dumped,
}
