namespace Appc.Fetching;

/// <summary>Where a fetched image came from.</summary>
public enum FetchOrigin
{
    /// <summary>It was in the store, and nobody was asked.</summary>
    Store,

    /// <summary>The server said, now or earlier with a time limit, that the stored copy is current.</summary>
    Cache,

    /// <summary>It was downloaded.</summary>
    Download,

    /// <summary>It was read from a file.</summary>
    File,
}
