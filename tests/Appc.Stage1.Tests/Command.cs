using System.Text;

namespace Appc.Stage1;

/// <summary>A command in a running app, with its streams read in the ways that tests need.</summary>
internal sealed class Command(Stage1Exec exec) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private string _read = string.Empty;

    public Stage1Exec Exec { get; } = exec;

    public async Task WriteAsync(byte[] bytes)
    {
        await Exec.StandardInput.WriteAsync(bytes);
        await Exec.StandardInput.DisposeAsync();
    }

    public Task WriteTextAsync(string text) => Exec.StandardInput.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

    public Task<byte[]> ReadOutputAsync() => ReadAsync(Exec.StandardOutput);

    public async Task<string> ReadErrorAsync() => Encoding.UTF8.GetString(await ReadAsync(Exec.StandardError!));

    /// <summary>Reads until a word has come; what follows it is left for the next call.</summary>
    public async Task ReadUntilAsync(string word)
    {
        using CancellationTokenSource limit = new(Limit);
        byte[] buffer = new byte[1024];
        int found;
        while ((found = _read.IndexOf(word, StringComparison.Ordinal)) < 0)
        {
            int length = await Exec.StandardOutput.ReadAsync(buffer, limit.Token);
            Assert.True(length > 0, $"'{word}' did not come: {_read}");
            _read += Encoding.UTF8.GetString(buffer, 0, length);
        }

        _read = _read[(found + word.Length)..];
    }

    public async ValueTask DisposeAsync()
    {
        Exec.Signal(9);
        await Exec.StandardInput.DisposeAsync();
        await Exec.StandardOutput.DisposeAsync();
        if (Exec.StandardError is not null)
        {
            await Exec.StandardError.DisposeAsync();
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using MemoryStream all = new();
        using CancellationTokenSource limit = new(Limit);
        await stream.CopyToAsync(all, limit.Token);
        return all.ToArray();
    }
}
