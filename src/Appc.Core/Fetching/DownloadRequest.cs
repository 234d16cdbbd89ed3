using Appc.Trust;

namespace Appc.Fetching;

/// <summary>One archive to bring into a directory.</summary>
internal sealed record DownloadRequest(Uri Url, string Directory)
{
    public bool AllowHttp { get; init; }

    /// <summary>Largest number of bytes.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>The number of bytes that it must have; null if any will do.</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>
    /// Starts a check of the signature over bytes that follow; null if none is asked for. It gives null where the
    /// server has no signature yet, unless it is told that this is the last time it is asked.
    /// </summary>
    public Func<bool, CancellationToken, Task<ISignatureCheck?>>? BeginCheck { get; init; }

    /// <summary>Whether an archive without a good signature is kept, for the caller to decide by its id.</summary>
    public bool KeepRefused { get; init; }

    /// <summary>What is known of the copy that the store has; null if it has none.</summary>
    public HttpValidators? Stored { get; init; }

    /// <summary>Told of the bytes that have come, and of how many there are.</summary>
    public Action<long, long?>? Progress { get; init; }
}
