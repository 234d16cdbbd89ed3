using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Ranges of user ids that pods use, one of 65536 ids for each pod, so that no two pods, and no pod and anybody else
/// on the host, ever share an id. A file in <c>ROOT/uidranges</c>, named after the first id and holding the pod's
/// UUID, is the registration: made exclusively, and found again after any crash. Whoever does not know of this directory
/// is kept off by a lock as long as the pod runs (<see cref="IdRange"/>).
/// </summary>
internal sealed unsafe class IdRanges(string root)
{
    /// <summary>How many ids a pod has.</summary>
    internal const uint Size = 65536;

    // The ids that systemd sets aside for containers, so that no tool gives them to users (UIDS-GIDS of systemd).
    private const uint First = 0x0008_0000;
    private const uint Last = 0x6fff_0000;

    private readonly string _directory = Path.Combine(root, "uidranges");

    /// <summary>Registers a range for a pod.</summary>
    /// <returns>The range, with the lock that the pod's processes are to inherit.</returns>
    /// <exception cref="LaunchException">No range is free.</exception>
    internal IdRange Allocate(string uuid)
    {
        PodFilesWriter.MakePrivate(_directory);
        IReadOnlyList<(uint First, uint Last)> foreign = ReadForeign();
        const uint Slots = ((Last - First) / Size) + 1;
        uint start = (uint)RandomNumberGenerator.GetInt32((int)Slots);
        for (uint i = 0; i < Slots; i++)
        {
            uint candidate = First + ((start + i) % Slots * Size);
            if (!foreign.Any(f => f.First <= candidate + Size - 1 && f.Last >= candidate) && TryTake(candidate, uuid) is { } range)
            {
                return range;
            }
        }

        throw new LaunchException(
            "find free user ids", 0, $"pod {uuid}: every range of user ids from {First} to {Last} is in use", "Collect the pods that have ended.");
    }

    /// <summary>Frees the range of a pod; a range that another pod has meanwhile is left alone.</summary>
    /// <returns>How many ranges were freed: none or one.</returns>
    internal int Free(uint first, string uuid)
    {
        string path = Path.Combine(_directory, Name(first));
        if (Owner(path) != uuid)
        {
            return 0;
        }

        Remove(path, first);
        return 1;
    }

    /// <summary>Frees whatever is registered for a pod.</summary>
    internal int FreeAll(string uuid) => FreeAll(owner => owner == uuid);

    /// <summary>Frees whatever is registered for certain pods; tells how many ranges there were.</summary>
    internal int FreeAll(Func<string, bool> isOwner)
    {
        if (!Directory.Exists(_directory))
        {
            return 0;
        }

        int freed = 0;
        foreach (string path in Directory.EnumerateFiles(_directory).Where(p => Path.GetFileName(p)[0] != '.'))
        {
            if (Owner(path) is { Length: > 0 } owner && isOwner(owner))
            {
                Remove(path, uint.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out uint first) ? first : null);
                freed++;
            }
        }

        return freed;
    }

    private static void Remove(string path, uint? first)
    {
        if (first is { } known)
        {
            // First, while the range is still registered: afterwards it may be another pod's.
            IdRange.Clear(known);
        }

        File.Delete(path);
    }

    private IdRange? TryTake(uint first, string uuid)
    {
        if (IdRange.TryTake(first) is not { } range)
        {
            return null;
        }

        try
        {
            if (TryRegister(first, uuid))
            {
                return range;
            }
        }
        catch
        {
            range.Dispose();
            throw;
        }

        // Of a pod that has ended, and was not cleared up after.
        range.Dispose();
        return null;
    }

    private bool TryRegister(uint first, string uuid)
    {
        // Written first and linked into place: a registration that can be seen is complete.
        string temporary = Path.Combine(_directory, "." + uuid);
        File.WriteAllText(temporary, uuid + "\n");
        try
        {
            fixed (byte* from = Fd.PathBytes(temporary))
            fixed (byte* to = Fd.PathBytes(Path.Combine(_directory, Name(first))))
            {
                if (Libc.linkat(Libc.AT_FDCWD, from, Libc.AT_FDCWD, to, 0) == 0)
                {
                    return true;
                }

                int error = Errno.Last;
                return error == Errno.EEXIST ? false : throw new ErrnoException("register a range of user ids", error);
            }
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static string Name(uint first) => first.ToString(CultureInfo.InvariantCulture);

    private static string? Owner(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Ids that are given to others: users of the host, and what these may map themselves.</summary>
    private static List<(uint First, uint Last)> ReadForeign()
    {
        List<(uint, uint)> ranges = [];
        foreach ((string file, bool isRange) in new[] { ("/etc/subuid", true), ("/etc/subgid", true), ("/etc/passwd", false), ("/etc/group", false) })
        {
            if (!File.Exists(file))
            {
                continue;
            }

            foreach (string line in File.ReadLines(file, Encoding.Latin1))
            {
                // name:first:count, or name:password:id:...
                string[] fields = line.Split(':');
                if (fields.Length >= 3 && ulong.TryParse(fields[isRange ? 1 : 2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong first))
                {
                    ulong count = isRange && ulong.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong n) ? n : 1;
                    if (count > 0 && first <= uint.MaxValue)
                    {
                        ranges.Add(((uint)first, (uint)Math.Min(first + count - 1, uint.MaxValue)));
                    }
                }
            }
        }

        return ranges;
    }
}
