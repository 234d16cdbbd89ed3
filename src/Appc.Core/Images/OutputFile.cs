using Appc.Linux;

namespace Appc.Images;

/// <summary>Files that appear whole or not at all: written beside their place, flushed and renamed.</summary>
internal static class OutputFile
{
    private const int CopyBytes = 1 << 20;

    /// <summary>Copies a file.</summary>
    public static Task CopyAsync(string from, string to, bool overwrite, CancellationToken cancellationToken) => WriteAsync(
        to,
        overwrite,
        async output =>
        {
            FileStream input = new(from, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0, useAsync: true);
            await using (input.ConfigureAwait(false))
            {
                await input.CopyToAsync(output, CopyBytes, cancellationToken).ConfigureAwait(false);
            }
        });

    /// <summary>Writes a file by a delegate.</summary>
    /// <exception cref="ImageException">The file exists and may not be replaced, or cannot be written.</exception>
    public static async Task WriteAsync(string path, bool overwrite, Func<FileStream, Task> write)
    {
        string full = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}");
        bool moved = false;
        try
        {
            FileStream output = new(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            });
            await using (output.ConfigureAwait(false))
            {
                await write(output).ConfigureAwait(false);
                FileFlush.ToDisk(output);
            }

            File.Move(temporary, full, overwrite);
            moved = true;
        }
        catch (IOException) when (!overwrite && File.Exists(full))
        {
            throw new ImageException(ImageFailure.Storage, $"{full} exists", "choose another name, or allow to overwrite it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"{full} cannot be written");
        }
        finally
        {
            if (!moved)
            {
                TryDelete(temporary);
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What went wrong before is what the caller must know.
        }
    }
}
