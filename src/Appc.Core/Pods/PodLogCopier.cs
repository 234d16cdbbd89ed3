using Appc.Manifests;

namespace Appc.Pods;

/// <summary>Copies the log files of a pod, which its apps append to, and follows them while they grow.</summary>
internal sealed class PodLogCopier : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    private readonly List<(string Name, Stream Target)> _sources = [];
    private readonly Dictionary<string, FileStream> _open = new(StringComparer.Ordinal);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly string? _app;
    private readonly Stream? _standardOutput;
    private readonly Stream? _standardError;

    public PodLogCopier(PodManifest manifest, Stream? standardOutput, Stream? standardError, string? app)
    {
        _app = app;
        _standardOutput = standardOutput;
        _standardError = standardError;
        Update(manifest);
        if (app is not null && manifest.Apps.All(a => a.Name.ToString() != app))
        {
            throw new PodException(PodFailure.NotFound, $"the pod has no app that is called '{app}'", "its apps are " + string.Join(", ", manifest.Apps.Select(a => a.Name)));
        }
    }

    /// <summary>Goes on with the apps that the pod has now. Those that are gone are forgotten.</summary>
    public void Update(PodManifest manifest)
    {
        _sources.Clear();
        foreach (RuntimeApp each in manifest.Apps.Where(a => _app is null || a.Name.ToString() == _app))
        {
            if (_standardOutput is not null)
            {
                _sources.Add((each.Name + ".out", _standardOutput));
            }

            if (_standardError is not null)
            {
                _sources.Add((each.Name + ".err", _standardError));
            }
        }

        foreach (string gone in _open.Keys.Except(_sources.Select(s => s.Name)).ToArray())
        {
            _open[gone].Dispose();
            _open.Remove(gone);
        }
    }

    /// <summary>Copies what has come since the last call.</summary>
    /// <param name="directory">The pod's directory of the moment; null if it is gone. Files once open stay so.</param>
    /// <param name="cancellationToken">Cancels the copying.</param>
    public async Task CopyNewAsync(string? directory, CancellationToken cancellationToken)
    {
        foreach ((string name, Stream target) in _sources)
        {
            if (!_open.TryGetValue(name, out FileStream? file))
            {
                if (directory is null || TryOpen(Path.Combine(directory, "logs", name)) is not { } opened)
                {
                    continue;
                }

                _open[name] = file = opened;
            }

            int read;
            while ((read = await file.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await target.WriteAsync(_buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                await target.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose()
    {
        foreach (FileStream file in _open.Values)
        {
            file.Dispose();
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
