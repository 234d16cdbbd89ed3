using Microsoft.Extensions.Logging;

namespace Appc.Fetching;

/// <summary>Messages of discovery and fetching (event ids 2100 to 2199).</summary>
internal static partial class FetchLog
{
    [LoggerMessage(2101, LogLevel.Warning, "Server certificates are not checked: anyone on the way can pose as any server")]
    public static partial void TlsUnchecked(ILogger logger);

    [LoggerMessage(2102, LogLevel.Information, "{Failure}; trying again in {Seconds:0.0} s")]
    public static partial void Retrying(ILogger logger, string failure, double seconds);

    [LoggerMessage(2103, LogLevel.Warning, "{Url} was continued after an interruption and its signature does not fit; downloading it again from the start")]
    public static partial void ContinuedInVain(ILogger logger, string url);

    [LoggerMessage(2104, LogLevel.Information, "{Url} came with the content encoding {Encoding}; its bytes are kept as they came")]
    public static partial void EncodingKept(ILogger logger, string url, string encoding);

    [LoggerMessage(2105, LogLevel.Warning, "{Image} is fetched from {Url} without a signature check, as this call asks")]
    public static partial void Unchecked(ILogger logger, string image, string url);

    [LoggerMessage(2106, LogLevel.Information, "Another process is downloading {Url}; waiting for it")]
    public static partial void Waiting(ILogger logger, string url);

    [LoggerMessage(2107, LogLevel.Warning, "{Failure}; trying the next place that discovery gave")]
    public static partial void PlaceFailed(ILogger logger, string failure);

    [LoggerMessage(2108, LogLevel.Warning, "What the server said of {Url} cannot be written down: {Reason}")]
    public static partial void NotRemembered(ILogger logger, string url, string reason);

    [LoggerMessage(2109, LogLevel.Information, "A stored image is fetched again: {Reason}")]
    public static partial void StoredNotTrusted(ILogger logger, string reason);

    [LoggerMessage(2110, LogLevel.Information, "The signature of {Url} is not ready yet; the archive is downloaded meanwhile and stays packed")]
    public static partial void SignatureDeferred(ILogger logger, string url);
}
