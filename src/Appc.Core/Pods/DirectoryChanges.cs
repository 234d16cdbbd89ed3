namespace Appc.Pods;

/// <summary>Wakes whoever waits for something to appear in a directory. Where the host gives no more watches, it looks now and then.</summary>
internal sealed class DirectoryChanges : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _changes = new(0);
    private readonly FileSystemWatcher? _watcher;

    internal DirectoryChanges(string directory)
    {
        try
        {
            _watcher = new FileSystemWatcher(directory) { NotifyFilter = NotifyFilters.Size | NotifyFilters.LastWrite | NotifyFilters.FileName };
            _watcher.Changed += (_, _) => _changes.Release();
            _watcher.Created += (_, _) => _changes.Release();
            _watcher.Renamed += (_, _) => _changes.Release();
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            _watcher = null;
        }
    }

    /// <summary>Returns when something has changed, or after a moment.</summary>
    internal Task WaitAsync(CancellationToken cancellationToken) => _changes.WaitAsync(Patience, cancellationToken);

    public void Dispose()
    {
        _watcher?.Dispose();
        _changes.Dispose();
    }
}
