using Appc.Images.Tar;
using Appc.Linux;

namespace Appc.Images.Extraction;

/// <content>The kinds of entries. Order matters: owner, then mode (chown clears set-uid), then attributes, then time.</content>
internal sealed unsafe partial class TreeWriter
{
    private const uint WorkFileMode = 0x180;

    // Most of an image's bytes are in files from this size on, and few of its files are.
    private const long WritebackBytes = 128 << 10;

    private void AddDirectory(byte[] path, TarEntry entry, int parent, byte* name)
    {
        bool exists = Libc.mkdirat(parent, name, ListedMark) < 0;
        if (exists && Errno.Last != Errno.EEXIST)
        {
            throw new ErrnoException("mkdirat", Errno.Last);
        }

        int number = Libc.openat(parent, name, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
        if (exists && number < 0)
        {
            throw EntryFaults.Duplicate(entry);
        }

        using Fd directory = Fd.Own(number, "openat");
        if (exists && (directory.Stat().Mode & 0xfff) != ImpliedMark)
        {
            throw EntryFaults.Duplicate(entry);
        }

        ErrnoException.ThrowIfFailed(Libc.fchmod(number, ListedMark), "fchmod");
        ApplyToDirectory(number, entry);
        _journal.Add(path, ModeOf(entry), entry.ModifyTime, implied: false);
    }

    private void ApplyToDirectory(int directory, TarEntry entry)
    {
        SetOwner(directory, entry);
        SetAttributes(directory, entry);
    }

    private void AddFile(TarEntry entry, int parent, byte* name, TarReader data)
    {
        using Fd file = Fd.Own(
            Libc.openat(parent, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, WorkFileMode), "open");
        int fd = file.Number;
        if (entry.Segments is null)
        {
            WriteAll(fd, data);
        }
        else
        {
            WriteSparse(fd, entry, data);
        }

        if (entry.Length >= WritebackBytes)
        {
            Libc.StartWriteback(fd, 0, 0);
        }

        SetOwner(fd, entry);
        ErrnoException.ThrowIfFailed(Libc.fchmod(fd, ModeOf(entry)), "fchmod");
        SetAttributes(fd, entry);
        SetTime(fd, entry.ModifyTime);
    }

    private static void WriteAll(int fd, TarReader data)
    {
        ReadOnlySpan<byte> chunk;
        while (!(chunk = data.ReadData()).IsEmpty)
        {
            fixed (byte* p = chunk)
            {
                int done = 0;
                while (done < chunk.Length)
                {
                    nint written = Libc.write(fd, p + done, (nuint)(chunk.Length - done));
                    if (written < 0 && Errno.Last != Errno.EINTR)
                    {
                        throw new ErrnoException("write", Errno.Last);
                    }

                    done += (int)Math.Max(written, 0);
                }
            }
        }
    }

    private static void WriteSparse(int fd, TarEntry entry, TarReader data)
    {
        ErrnoException.ThrowIfFailed(Libc.ftruncate(fd, entry.Length), "ftruncate");
        foreach (TarSegment segment in entry.Segments!)
        {
            long offset = segment.Offset;
            long left = segment.Length;
            while (left > 0)
            {
                ReadOnlySpan<byte> chunk = data.ReadData(left);
                fixed (byte* p = chunk)
                {
                    int done = 0;
                    while (done < chunk.Length)
                    {
                        nint written = Libc.pwrite(fd, p + done, (nuint)(chunk.Length - done), offset + done);
                        if (written < 0 && Errno.Last != Errno.EINTR)
                        {
                            throw new ErrnoException("pwrite", Errno.Last);
                        }

                        done += (int)Math.Max(written, 0);
                    }
                }

                offset += chunk.Length;
                left -= chunk.Length;
            }
        }
    }

    private void AddSymbolicLink(TarEntry entry, int parent, byte* name)
    {
        fixed (byte* target = Terminate(ref _linkBuffer, entry.LinkName))
        {
            ErrnoException.ThrowIfFailed(Libc.symlinkat(target, parent, name), "symlinkat");
        }

        if (_privileged)
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(parent, name, entry.Uid, entry.Gid, Libc.AT_SYMLINK_NOFOLLOW), "fchownat");
        }

        SetTimeOf(parent, name, entry.ModifyTime);
        LeaveOutAttributes(entry);
    }

    private void AddHardLink(TarEntry entry, byte[] target, int parent, byte* name)
    {
        int slash = target.AsSpan().LastIndexOf((byte)'/');
        try
        {
            using Fd? opened = slash < 0 ? null : OpenTargetParent(target.AsSpan(0, slash));
            int targetParent = (opened ?? _root).Number;
            fixed (byte* t = Terminate(ref _linkBuffer, target.AsSpan(slash + 1)))
            {
                ErrnoException.ThrowIfFailed(Libc.StatAt(targetParent, t, Libc.AT_SYMLINK_NOFOLLOW, out Libc.Statx stat), "statx");
                if (stat.Type == Libc.S_IFDIR)
                {
                    throw EntryFaults.TargetIsDirectory(entry);
                }

                ErrnoException.ThrowIfFailed(Libc.linkat(targetParent, t, parent, name, 0), "linkat");
            }
        }
        catch (ErrnoException e) when (e.Number is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
        {
            throw EntryFaults.MissingTarget(entry);
        }
    }

    private Fd OpenTargetParent(ReadOnlySpan<byte> path)
    {
        fixed (byte* p = Terminate(ref _linkBuffer, path))
        {
            return Fd.Own(Libc.OpenBeneath(_root.Number, p, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW), "openat2");
        }
    }

    private void AddSpecial(TarEntry entry, int parent, byte* name)
    {
        uint type = entry.Type switch
        {
            TarEntryType.CharacterDevice => Libc.S_IFCHR,
            TarEntryType.BlockDevice => Libc.S_IFBLK,
            _ => Libc.S_IFIFO,
        };
        if (type == Libc.S_IFCHR && entry is { DeviceMajor: 0, DeviceMinor: 0 })
        {
            throw EntryFaults.Whiteout(entry);
        }

        if (type != Libc.S_IFIFO && !_privileged)
        {
            throw new ImageException(
                ImageFailure.Storage, $"entry '{entry.ShownName}' is a device, which only root can make", "run as root, or use an image without devices");
        }

        ErrnoException.ThrowIfFailed(
            Libc.mknodat(parent, name, type | WorkFileMode, Libc.MakeDevice(entry.DeviceMajor, entry.DeviceMinor)), "mknodat");
        if (_privileged)
        {
            ErrnoException.ThrowIfFailed(Libc.fchownat(parent, name, entry.Uid, entry.Gid, Libc.AT_SYMLINK_NOFOLLOW), "fchownat");
        }

        ErrnoException.ThrowIfFailed(Libc.fchmodat(parent, name, ModeOf(entry), 0), "fchmodat");
        SetTimeOf(parent, name, entry.ModifyTime);
        LeaveOutAttributes(entry);
    }

    private void SetOwner(int fd, TarEntry entry)
    {
        if (_privileged)
        {
            ErrnoException.ThrowIfFailed(Libc.fchown(fd, entry.Uid, entry.Gid), "fchown");
        }
    }

    private void SetAttributes(int fd, TarEntry entry)
    {
        foreach (TarAttribute attribute in entry.Attributes)
        {
            bool capability = attribute.Name.AsSpan().SequenceEqual("security.capability"u8);
            AttributePolicy.Verdict verdict = AttributePolicy.Decide(attribute.Name);
            if (verdict == AttributePolicy.Verdict.Refuse)
            {
                throw EntryFaults.OverlayAttribute(entry, attribute);
            }

            if (verdict == AttributePolicy.Verdict.LeaveOut || (capability && !_privileged))
            {
                LeaveOut(entry, attribute);
                continue;
            }

            fixed (byte* name = (byte[])[.. attribute.Name, 0])
            fixed (byte* value = attribute.Value)
            {
                if (Libc.fsetxattr(fd, name, value, (nuint)attribute.Value.Length, 0) < 0)
                {
                    int errno = Errno.Last;
                    if (capability && errno == Errno.EINVAL)
                    {
                        // No set of capabilities at all: nothing that it could have given is lost.
                        LeaveOut(entry, attribute);
                        continue;
                    }

                    throw errno == Errno.EINVAL || errno == Errno.ERANGE
                        ? EntryFaults.Bad(entry, $"has an extended attribute {ByteText.Show(attribute.Name)} that the kernel does not take")
                        : new ErrnoException("setxattr " + ByteText.Show(attribute.Name), errno);
                }
            }
        }
    }

    private void LeaveOutAttributes(TarEntry entry)
    {
        foreach (TarAttribute attribute in entry.Attributes)
        {
            if (AttributePolicy.Decide(attribute.Name) == AttributePolicy.Verdict.Refuse)
            {
                throw EntryFaults.OverlayAttribute(entry, attribute);
            }

            LeaveOut(entry, attribute);
        }
    }

    private void LeaveOut(TarEntry entry, TarAttribute attribute)
    {
        AttributesLeftOut++;
        AttributeLeftOut ??= $"{ByteText.Show(attribute.Name)} of {entry.ShownName}";
    }

    private static void SetTime(int fd, TarTime time)
    {
        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        times[0] = times[1] = new Libc.Timespec { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
        ErrnoException.ThrowIfFailed(Libc.futimens(fd, times), "futimens");
    }

    private static void SetTimeOf(int parent, byte* name, TarTime time)
    {
        Libc.Timespec* times = stackalloc Libc.Timespec[2];
        times[0] = times[1] = new Libc.Timespec { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
        ErrnoException.ThrowIfFailed(Libc.utimensat(parent, name, times, Libc.AT_SYMLINK_NOFOLLOW), "utimensat");
    }

    private static ImageException Explain(TarEntry entry, ErrnoException e) => e.Number switch
    {
        Errno.EEXIST => EntryFaults.Duplicate(entry),
        Errno.ENOTDIR or Errno.ELOOP or Errno.EXDEV => EntryFaults.BelowFile(entry),
        Errno.ENAMETOOLONG => EntryFaults.Bad(entry, "has a name that is too long for this file system"),
        _ => StorageFaults.From(e, $"entry '{entry.ShownName}' cannot be written"),
    };
}
