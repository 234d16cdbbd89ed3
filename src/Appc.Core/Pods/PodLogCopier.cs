using Appc.Manifests;

namespace Appc.Pods;

/// <summary>Copies the log files of a pod, which its apps append to, and follows them while they grow.</summary>
internal sealed class PodLogCopier : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    private readonly List<(string Name, Stream Target)> _sources = [];
    private readonly Dictionary<string, FileStream> _open = new(StringComparer.Ordinal);
    private readonly byte[] _buffer = new byte[BufferBytes];

    public PodLogCopier(PodManifest manifest, Stream? standardOutput, Stream? standardError, string? app)
    {
        List<RuntimeApp> apps = [.. manifest.Apps.Where(a => app is null || a.Name.ToString() == app)];
        if (apps.Count == 0)
        {
            throw new PodException(PodFailure.NotFound, $"the pod has no app that is called '{app}'", "its apps are " + string.Join(", ", manifest.Apps.Select(a => a.Name)));
        }

        foreach (RuntimeApp each in apps)
        {
            if (standardOutput is not null)
            {
                _sources.Add((each.Name + ".out", standardOutput));
            }

            if (standardError is not null)
            {
                _sources.Add((each.Name + ".err", standardError));
            }
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
