namespace Appc;

/// <summary>
/// The base of every error that this library raises on purpose. The message says what failed, for which
/// file, image or pod, and why; <see cref="Hint"/> says what to do about it.
/// </summary>
public class AppcException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What failed, for which object, and why: one line.</param>
    /// <param name="hint">What the caller can do about it: one line, or null.</param>
    /// <param name="innerException">The cause, if another exception is.</param>
    public AppcException(string message, string? hint = null, Exception? innerException = null)
        : base(message, innerException) => Hint = hint;

    /// <summary>What the caller can do about it, as one line; null where nothing general can be said.</summary>
    public string? Hint { get; }

    /// <summary>Whether the same call may well succeed when it is made again later (a network fault, a busy lock).</summary>
    public virtual bool IsTransient => false;
}
