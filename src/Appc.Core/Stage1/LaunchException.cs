namespace Appc.Stage1;

/// <summary>A stage1 flavour could not start a pod: a step of the launch failed.</summary>
public sealed class LaunchException : AppcException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="step">The step that failed, such as <c>mount /proc</c>.</param>
    /// <param name="errno">The error number of the system call, or 0.</param>
    /// <param name="message">What failed, for which pod, and why.</param>
    /// <param name="hint">What to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public LaunchException(string step, int errno, string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException)
    {
        Step = step;
        Errno = errno;
    }

    /// <summary>The step of the launch that failed.</summary>
    public string Step { get; }

    /// <summary>The error number of the system call that failed; 0 if none did.</summary>
    public int Errno { get; }
}
