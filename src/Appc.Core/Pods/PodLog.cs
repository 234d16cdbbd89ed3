using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>What the pod runtime logs. Event ids 3000 to 3099.</summary>
internal static partial class PodLog
{
    [LoggerMessage(3000, LogLevel.Information, "Pod {Uuid} prepared for {Stage1} with {Apps} app(s).")]
    public static partial void Prepared(this ILogger logger, string uuid, string stage1, int apps);

    [LoggerMessage(3001, LogLevel.Information, "Pod {Uuid} started: first process {Pid}.")]
    public static partial void Started(this ILogger logger, string uuid, int pid);

    [LoggerMessage(3002, LogLevel.Information, "Pod {Uuid} ended with {ExitCode}.")]
    public static partial void Ended(this ILogger logger, string uuid, int? exitCode);

    [LoggerMessage(3003, LogLevel.Error, "Pod {Uuid} could not be started.")]
    public static partial void StartFailed(this ILogger logger, string uuid, Exception exception);

    [LoggerMessage(3004, LogLevel.Warning, "Pod {Uuid} runs the image {Image} although nothing vouches for it, because this call allows it: {Why}")]
    public static partial void RunsInsecureImage(this ILogger logger, string uuid, string image, string why);

    [LoggerMessage(3005, LogLevel.Warning, "Pod {Uuid} runs without a restriction that is on by default: {What}.")]
    public static partial void RunsUnrestricted(this ILogger logger, string uuid, string what);

    [LoggerMessage(3006, LogLevel.Warning, "Pod {Uuid}: the isolator {Isolator} of {Owner} is not enforced by {Stage1}: {Reason}.")]
    public static partial void IsolatorNotEnforced(this ILogger logger, string uuid, string isolator, string owner, string stage1, string reason);

    [LoggerMessage(3007, LogLevel.Information, "Pod {Uuid} removed.")]
    public static partial void Removed(this ILogger logger, string uuid);

    [LoggerMessage(3008, LogLevel.Warning, "Pod {Uuid} could not be removed.")]
    public static partial void RemoveFailed(this ILogger logger, string uuid, Exception exception);

    [LoggerMessage(3009, LogLevel.Information, "Pod {Uuid} runs the image {Image} because the policy names its id; its signatures do not suffice: {Why}")]
    public static partial void RunsImageById(this ILogger logger, string uuid, string image, string why);

    [LoggerMessage(3010, LogLevel.Warning, "Pod {Uuid} does not start ({Failure}): {Why}")]
    public static partial void TrustRefused(this ILogger logger, string uuid, Trust.TrustFailure failure, string why);

    [LoggerMessage(3011, LogLevel.Warning, "Pods cannot be watched: they are looked at several times a second instead. fs.inotify.max_user_instances or max_user_watches is too low.")]
    public static partial void WatchBlind(this ILogger logger, Exception exception);

    [LoggerMessage(3012, LogLevel.Warning, "A look at pods failed and is repeated.")]
    public static partial void WatchFailed(this ILogger logger, Exception exception);

    [LoggerMessage(3013, LogLevel.Warning, "The end of pod {Uuid} cannot be announced.")]
    public static partial void EndNotAnnounced(this ILogger logger, string uuid, Exception exception);

    [LoggerMessage(3014, LogLevel.Warning, "What is left of the app {App}, which could not be added to pod {Uuid}, could not be removed.")]
    public static partial void AppNotTakenBack(this ILogger logger, string uuid, string app, Exception exception);

    [LoggerMessage(3015, LogLevel.Warning, "A connection to port {Port} of pod {Uuid} could not be made.")]
    public static partial void ForwardFailed(this ILogger logger, string uuid, int port, Exception exception);

    [LoggerMessage(3016, LogLevel.Warning, "Pod {Uuid} starts without the metadata service that it was told of: {Why}.")]
    public static partial void MetadataNotServed(this ILogger logger, string uuid, string why);
}
