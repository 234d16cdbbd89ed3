using System.Text.Json;
using Appc.Images;
using Microsoft.Win32.SafeHandles;

namespace Appc.Fetching;

/// <summary>
/// The file that a download grows in, and beside it what is needed to go on after an interruption, be it of this
/// process. The note is written before the first byte, so bytes never stand beside the note of other bytes.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private const string ArchiveName = "archive.aci";
    private const string NoteName = "archive.json";
    private readonly string _notePath;
    private readonly Uri _url;
    private readonly SafeFileHandle _file;

    private PartialFile(string directory, Uri url)
    {
        Path = System.IO.Path.Combine(directory, ArchiveName);
        _notePath = System.IO.Path.Combine(directory, NoteName);
        _url = url;
        _file = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);
    }

    public string Path { get; }

    /// <summary>Bytes that are there.</summary>
    public long Length { get; private set; }

    public HttpValidators Validators { get; private set; } = HttpValidators.None;

    /// <summary>Whether the server can be asked for the bytes that are missing.</summary>
    public bool CanContinue => Length > 0 && Validators.IsStrong;

    public static PartialFile Open(string directory, Uri url)
    {
        var file = new PartialFile(directory, url);
        try
        {
            file.ReadNote();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a directory holds a part that can be continued.</summary>
    public static bool IsWorthKeeping(string directory) =>
        File.Exists(System.IO.Path.Combine(directory, NoteName)) && new FileInfo(System.IO.Path.Combine(directory, ArchiveName)) is { Exists: true, Length: > 0 };

    /// <summary>Drops all bytes and notes what the server says of the ones to come.</summary>
    public void Restart(HttpValidators validators)
    {
        File.Delete(_notePath);
        RandomAccess.SetLength(_file, 0);
        Length = 0;
        Validators = validators;
        if (validators.IsStrong)
        {
            using var stream = new FileStream(_notePath, FileMode.Create, FileAccess.Write);
            using var json = new Utf8JsonWriter(stream);
            json.WriteStartObject();
            json.WriteString("url", _url.AbsoluteUri);
            json.WriteString("etag", validators.ETag);
            json.WriteString("lastModified", validators.LastModified);
            json.WriteEndObject();
        }
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await RandomAccess.WriteAsync(_file, bytes, Length, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new ImageException(ImageFailure.Storage, $"cannot write {Path}: {DisplayText.Clean(e.Message)}", "make room below the data directory", e);
        }

        Length += bytes.Length;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken) => RandomAccess.ReadAsync(_file, buffer, offset, cancellationToken);

    public void Dispose() => _file.Dispose();

    private void ReadNote()
    {
        Length = RandomAccess.GetLength(_file);
        if (Length == 0 || !File.Exists(_notePath))
        {
            Restart(HttpValidators.None);
            return;
        }

        try
        {
            using JsonDocument note = JsonDocument.Parse(File.ReadAllBytes(_notePath));
            if (note.RootElement.GetProperty("url").GetString() == _url.AbsoluteUri)
            {
                Validators = new HttpValidators(note.RootElement.GetProperty("etag").GetString(), note.RootElement.GetProperty("lastModified").GetString(), null);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // A note that was cut short is as good as none.
            Validators = HttpValidators.None;
        }

        if (!CanContinue)
        {
            Restart(HttpValidators.None);
        }
    }
}
