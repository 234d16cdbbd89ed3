using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Pods;

/// <summary>Finds the last lines of a log file.</summary>
internal static class LogTail
{
    /// <summary>Where they begin; behind the first whole line that is there if there are fewer.</summary>
    public static async Task<long> FindAsync(SafeFileHandle file, int lines, byte[] buffer, CancellationToken cancellationToken)
    {
        long end = RandomAccess.GetLength(file);
        long head = SparseFile.NextData(file, 0);
        long begin = end;
        long firstLine = end;
        for (int left = lines; lines > 0 && begin > head;)
        {
            int size = (int)Math.Min(buffer.Length, begin - head);
            if (SparseFile.NextHole(file, begin - size) < begin)
            {
                // Only a head is ever freed, and lines are looked for behind it. A program can also make its log as long as it likes
                // without writing anything: then this is what lies behind the last of its holes.
                head = FindHead(file, begin - size, begin);
                continue;
            }

            int read = await ReadAsync(file, buffer.AsMemory(0, size), begin - size, cancellationToken).ConfigureAwait(false);
            for (int i = read - 1; i >= 0; i--)
            {
                // The last byte ends a line and begins none.
                if (buffer[i] == '\n' && begin - size + i + 1 < end)
                {
                    firstLine = begin - size + i + 1;
                    if (--left == 0)
                    {
                        return firstLine;
                    }
                }
            }

            begin -= size;
        }

        return lines > 0 && head == 0 ? 0 : firstLine;
    }

    /// <summary>Where the line begins that has a byte before an offset, if it does within the buffer's size; otherwise the offset.</summary>
    public static async Task<long> FindLineAsync(SafeFileHandle file, long offset, byte[] buffer, CancellationToken cancellationToken)
    {
        int size = (int)Math.Min(buffer.Length, offset);
        int read = await ReadAsync(file, buffer.AsMemory(0, size), offset - size, cancellationToken).ConfigureAwait(false);
        int before = buffer.AsSpan(0, read).LastIndexOf((byte)'\n');
        return before >= 0 ? offset - size + before + 1 : size == offset ? 0 : offset;
    }

    /// <summary>The end of the last hole in a part of a file.</summary>
    private static long FindHead(SafeFileHandle file, long from, long to)
    {
        while (SparseFile.NextHole(file, from) is var hole && hole < to)
        {
            from = Math.Max(SparseFile.NextData(file, hole), from + 1);
        }

        return Math.Min(from, to);
    }

    private static async Task<int> ReadAsync(SafeFileHandle file, Memory<byte> buffer, long offset, CancellationToken cancellationToken)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = await RandomAccess.ReadAsync(file, buffer[total..], offset + total, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }
}
