using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>What servers said about the archives that came from them: <c>ROOT/remote</c>, one small file an address.</summary>
internal sealed class RemoteRecords(string root)
{
    private readonly string _directory = Path.Combine(root, "remote");

    /// <summary>Which image came from an address, and what the server said of it; null if nothing is known.</summary>
    public RemoteRecord? Read(Uri url)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(FileFor(url)));
            JsonElement json = document.RootElement;
            bool same = json.GetProperty("url").GetString() == url.AbsoluteUri;
            string? freshUntil = json.GetProperty("freshUntil").GetString();
            return same && ImageId.TryParse(json.GetProperty("id").GetString(), out ImageId? id)
                ? new RemoteRecord(id, new HttpValidators(
                    json.GetProperty("etag").GetString(),
                    json.GetProperty("lastModified").GetString(),
                    freshUntil is null ? null : DateTimeOffset.Parse(freshUntil, CultureInfo.InvariantCulture)))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // A record saves a download; without one, or with a damaged one, there is a download.
            return null;
        }
    }

    /// <summary>Notes which image came from an address.</summary>
    /// <param name="url">The address.</param>
    /// <param name="record">The image, and what the server said of it.</param>
    /// <param name="temporaryDirectory">A directory on the same file system in which the record is written first.</param>
    public void Write(Uri url, RemoteRecord record, string temporaryDirectory)
    {
        string temporary = Path.Combine(temporaryDirectory, "record.json");
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("url", url.AbsoluteUri);
            json.WriteString("id", record.Id.ToString());
            json.WriteString("etag", record.Validators.ETag);
            json.WriteString("lastModified", record.Validators.LastModified);
            json.WriteString("freshUntil", record.Validators.FreshUntil?.ToString("o", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        MakeDirectory();
        File.Move(temporary, FileFor(url), overwrite: true);
    }

    // Addresses may hold tokens: nobody else's business.
    private void MakeDirectory()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_directory);
        }
        else
        {
            Directory.CreateDirectory(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private string FileFor(Uri url) => Path.Combine(_directory, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri))) + ".json");
}

/// <summary>Which image came from an address, and what the server said of it.</summary>
internal sealed record RemoteRecord(ImageId Id, HttpValidators Validators);
