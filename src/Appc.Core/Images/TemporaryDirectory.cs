using Appc.Linux;

namespace Appc.Images;

/// <summary>A directory of its own below <c>ROOT/tmp</c>, locked while this object and its process live, removed when disposed.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private DirectoryLock? _lock;

    private TemporaryDirectory(string path, DirectoryLock taken)
    {
        Path = path;
        _lock = taken;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The lock, which moves with the directory when that is renamed.</summary>
    public DirectoryLock Lock => _lock ?? throw new ObjectDisposedException(nameof(TemporaryDirectory));

    public static TemporaryDirectory Create(StoreLayout layout)
    {
        layout.Ensure();
        try
        {
            while (true)
            {
                string path = System.IO.Path.Combine(layout.Temporary, Guid.NewGuid().ToString("N"));
                if (OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(path);
                }
                else
                {
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                }

                // A collector may come between: it takes what it can lock. Then another name is tried.
                if (TryTake(path) is { } taken)
                {
                    return Prepare(new TemporaryDirectory(path, taken), layout);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"a directory below {layout.Temporary} cannot be made");
        }
    }

    private static DirectoryLock? TryTake(string path)
    {
        try
        {
            _ = DirectoryLock.TryTake(path, exclusive: true, out DirectoryLock? taken);
            return taken;
        }
        catch
        {
            // Empty as it is, it need not wait for a collection.
            TryDelete(path);
            throw;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            Directory.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A collector was faster, or will come.
        }
    }

    private static TemporaryDirectory Prepare(TemporaryDirectory directory, StoreLayout layout)
    {
        try
        {
            layout.EnsureVersionFile(directory.Path);
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Gives the lock to the caller, after the directory got its place elsewhere; nothing is removed any more.</summary>
    public DirectoryLock Release() => Interlocked.Exchange(ref _lock, null) ?? throw new ObjectDisposedException(nameof(TemporaryDirectory));

    /// <summary>Removes the directory. A failure to do so is left to the next collection.</summary>
    public void Dispose()
    {
        DirectoryLock? held = Interlocked.Exchange(ref _lock, null);
        if (held is null)
        {
            return;
        }

        try
        {
            TreeRemover.Remove(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The lock goes, so that anybody can collect what is left.
        }
        finally
        {
            held.Dispose();
        }
    }
}
