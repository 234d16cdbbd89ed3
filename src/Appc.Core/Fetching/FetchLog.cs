using Microsoft.Extensions.Logging;

namespace Appc.Fetching;

/// <summary>Messages of discovery and fetching (event ids 3000 to 3099).</summary>
internal static partial class FetchLog
{
    [LoggerMessage(3001, LogLevel.Warning, "Server certificates are not checked: anyone on the way can pose as any server")]
    public static partial void TlsUnchecked(ILogger logger);

    [LoggerMessage(3002, LogLevel.Information, "{Failure}; trying again in {Seconds:0.0} s")]
    public static partial void Retrying(ILogger logger, string failure, double seconds);
}
