using Appc.Linux;

namespace Appc.Images;

/// <summary>Failed system calls as errors of the store.</summary>
internal static class StorageFaults
{
    public static ImageException From(ErrnoException e, string what) => new(
        ImageFailure.Storage,
        $"{what}: {e.Message}",
        e.Number switch
        {
            Errno.ENOSPC or Errno.EDQUOT => "free some space, for example by removing images that are not needed",
            Errno.EPERM or Errno.EACCES => "run as root, or choose a data directory that you own",
            Errno.EOPNOTSUPP => "choose a data directory on a file system with extended attributes, such as ext4, xfs, btrfs or tmpfs",
            _ => null,
        },
        e);

    public static ImageException From(Exception e, string what) => e switch
    {
        ErrnoException errno => From(errno, what),
        UnauthorizedAccessException => new ImageException(ImageFailure.Storage, $"{what}: {e.Message}", "run as root, or choose a data directory that you own", e),
        _ => new ImageException(ImageFailure.Storage, $"{what}: {e.Message}", innerException: e),
    };
}
