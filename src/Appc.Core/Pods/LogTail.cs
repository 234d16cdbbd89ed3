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
