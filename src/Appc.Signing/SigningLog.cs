using Microsoft.Extensions.Logging;

namespace Appc.Signing;

internal static partial class SigningLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "Keystore: {Path} was skipped: {Reason}")]
    public static partial void EntrySkipped(this ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Information, Message = "Keystore: key {Fingerprint} is trusted for scope '{Scope}' now ({Path})")]
    public static partial void KeyAdded(this ILogger logger, string fingerprint, string scope, string path);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "Keystore: key {Fingerprint} was added, but its signatures will be refused: {Problem}")]
    public static partial void UnusableKeyAdded(this ILogger logger, string fingerprint, string problem);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Information, Message = "Keystore: key {Fingerprint} is no longer trusted for scope '{Scope}' ({Path})")]
    public static partial void KeyRemoved(this ILogger logger, string fingerprint, string scope, string path);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Information, Message = "Good signature by {Fingerprint} ({Algorithm}, {Created})")]
    public static partial void GoodSignature(this ILogger logger, string fingerprint, string algorithm, DateTimeOffset created);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Warning, Message = "Signature refused ({Failure}): {Reason}")]
    public static partial void SignatureRefused(this ILogger logger, Appc.Trust.TrustFailure failure, string reason);
}
