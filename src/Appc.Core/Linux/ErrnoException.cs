using System.Runtime.CompilerServices;

namespace Appc.Linux;

/// <summary>A system call failed. Internal: callers turn it into an error of the library that says what it was for.</summary>
internal sealed class ErrnoException : IOException
{
    public ErrnoException(string call, int errno)
        : base($"{call}: {Appc.Linux.Errno.Describe(errno)}")
    {
        Call = call;
        Number = errno;
    }

    /// <summary>Name of the system call, perhaps with what it was applied to.</summary>
    public string Call { get; }

    /// <summary>The error number.</summary>
    public int Number { get; }

    /// <summary>Throws for the last error of this thread where a result is negative.</summary>
    public static void ThrowIfFailed(nint result, string call)
    {
        if (result < 0)
        {
            throw new ErrnoException(call, Appc.Linux.Errno.Last);
        }
    }

    /// <summary>The same; the text is only put together where it is needed.</summary>
    public static void ThrowIfFailed(nint result, [InterpolatedStringHandlerArgument(nameof(result))] ref FailedCall call)
    {
        if (result < 0)
        {
            int errno = Appc.Linux.Errno.Last;
            throw new ErrnoException(call.ToString(), errno);
        }
    }
}
