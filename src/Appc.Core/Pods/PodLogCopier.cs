using Appc.Linux;
using Appc.Manifests;
using Microsoft.Win32.SafeHandles;

namespace Appc.Pods;

/// <summary>
/// Copies the log files of a pod, which its apps append to, and follows them while they grow. The head of such a file may be
/// freed at any time, while it is read too; what is lost so is counted, and the copy goes on with the next whole line.
/// </summary>
internal sealed class PodLogCopier : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    private readonly List<(string Name, Stream Target)> _sources = [];
    private readonly Dictionary<string, SafeFileHandle> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _cut = new(StringComparer.Ordinal);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly string? _app;
    private readonly int? _tail;
    private readonly DateTimeOffset? _since;
    private readonly Stream? _standardOutput;
    private readonly Stream? _standardError;

    public PodLogCopier(PodManifest manifest, Stream? standardOutput, Stream? standardError, LogOptions options)
    {
        _app = options.App;
        _tail = options.Tail;
        _since = options.Since;
        _standardOutput = standardOutput;
        _standardError = standardError;
        Cursor = options.Cursor ?? new LogCursor();
        Update(manifest);
        if (_app is not null && manifest.Apps.All(a => a.Name.ToString() != _app))
        {
            throw new PodException(PodFailure.NotFound, $"the pod has no app that is called '{options.App}'", "its apps are " + string.Join(", ", manifest.Apps.Select(a => a.Name)));
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

    public LogCursor Cursor { get; }

    /// <summary>Copies what has come since the last call.</summary>
    /// <param name="directory">The pod's directory of the moment; null if it is gone. Files once open stay so.</param>
    /// <param name="cancellationToken">Cancels the copying.</param>
    public async Task CopyNewAsync(string? directory, CancellationToken cancellationToken)
    {
        foreach ((string name, Stream target) in _sources)
        {
            if (!_open.TryGetValue(name, out SafeFileHandle? file))
            {
                if (directory is null || TryOpen(Path.Combine(directory, "logs", name)) is not { } opened)
                {
                    continue;
                }

                _open[name] = file = opened;
                if (Cursor.Find(name) is null)
                {
                    long tail = _tail is { } lines ? await LogTail.FindAsync(file, lines, _buffer, cancellationToken).ConfigureAwait(false) : 0;
                    long recent = _since is { } since
                        ? await PodLogTimes.FindAsync(file, name, directory, since, _buffer, cancellationToken).ConfigureAwait(false) : 0;
                    Cursor.Move(name, Math.Max(tail, recent));
                }
            }

            await CopyAsync(name, file, target, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        foreach (SafeFileHandle file in _open.Values)
        {
            file.Dispose();
        }
    }

    private async Task CopyAsync(string name, SafeFileHandle file, Stream target, CancellationToken cancellationToken)
    {
        while (true)
        {
            long offset = Cursor.Find(name) ?? 0;
            long data = SparseFile.NextData(file, offset);
            if (data > offset)
            {
                Cursor.Move(name, data, data - offset);
                _cut.Add(name);
                offset = data;
            }

            int read = await RandomAccess.ReadAsync(file, _buffer, offset, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return;
            }

            // What was freed meanwhile was read as zeros. Nothing ever fills a hole: without one now there was none then.
            read = (int)Math.Min(read, SparseFile.NextHole(file, offset) - offset);
            if (read <= 0)
            {
                continue;
            }

            int skipped = 0;
            if (_cut.Contains(name))
            {
                int newLine = _buffer.AsSpan(0, read).IndexOf((byte)'\n');
                skipped = newLine < 0 ? read : newLine + 1;
                if (newLine >= 0)
                {
                    _cut.Remove(name);
                }
            }

            if (skipped < read)
            {
                await target.WriteAsync(_buffer.AsMemory(skipped, read - skipped), cancellationToken).ConfigureAwait(false);
                await target.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            Cursor.Move(name, offset + read, skipped);
        }
    }

    private static SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
