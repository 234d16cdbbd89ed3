using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Rendering;

/// <summary>Owner, mode, attributes and time of a directory or file, to be given to another one.</summary>
internal sealed unsafe class FileState
{
    private readonly Libc.Statx _stat;
    private readonly List<TarAttribute> _attributes;

    private FileState(Libc.Statx stat, List<TarAttribute> attributes)
    {
        _stat = stat;
        _attributes = attributes;
    }

    public static FileState Of(Fd file) => new(file.Stat(), FileAttributeList.Read(file.Number));

    public void Apply(Fd file)
    {
        int fd = file.Number;
        if (Libc.geteuid() == 0)
        {
            ErrnoException.ThrowIfFailed(Libc.fchown(fd, _stat.Uid, _stat.Gid), "fchown");
        }

        ErrnoException.ThrowIfFailed(Libc.fchmod(fd, _stat.Mode & 0xfffu), "fchmod");
        foreach (TarAttribute attribute in _attributes.Where(a => AttributePolicy.Decide(a.Name) == AttributePolicy.Verdict.Keep))
        {
            fixed (byte* name = (byte[])[.. attribute.Name, 0])
            fixed (byte* value = attribute.Value)
            {
                ErrnoException.ThrowIfFailed(Libc.fsetxattr(fd, name, value, (nuint)attribute.Value.Length, 0), "setxattr");
            }
        }

        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        times[0] = times[1] = new Libc.Timespec { Seconds = _stat.ModifyTime.Seconds, Nanoseconds = _stat.ModifyTime.Nanoseconds };
        ErrnoException.ThrowIfFailed(Libc.futimens(fd, times), "futimens");
    }
}
