using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>The error numbers that the code tells apart. Equal on every architecture that is supported.</summary>
internal static partial class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EMLINK = 31;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int EOPNOTSUPP = 95;
    public const int EDQUOT = 122;

    /// <summary>The number that the last system call of this thread left.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The system's words for a number, in lower case as they stand in a sentence.</summary>
    public static string Describe(int errno)
    {
        string text = Marshal.GetPInvokeErrorMessage(errno);
        return text.Length > 1 && char.IsUpper(text[0]) && char.IsLower(text[1])
            ? char.ToLowerInvariant(text[0]) + text[1..]
            : text;
    }

    /// <summary>The name of a number, such as <c>EPERM</c>; null for one that has none. Of glibc only.</summary>
    public static unsafe string? NameOf(int errno) => Marshal.PtrToStringUTF8((nint)strerrorname_np(errno));

    [LibraryImport("libc")]
    private static unsafe partial byte* strerrorname_np(int errno);
}
