using Microsoft.Extensions.Logging;

namespace Appc.Stage1.Nspawn;

internal static partial class NspawnLog
{
    [LoggerMessage(3001, LogLevel.Information, "Pod {Uuid} did not stop within {Seconds} s; killing it")]
    internal static partial void GraceOver(this ILogger logger, string uuid, double seconds);

    [LoggerMessage(3002, LogLevel.Warning, "The app {App} of pod {Uuid} gains no privileges from set-id programs: a filter of system calls for a user who is not root sets no-new-privileges")]
    internal static partial void NoNewPrivilegesImplied(this ILogger logger, string app, string uuid);

    [LoggerMessage(3003, LogLevel.Error, "Pod {Uuid} ended without starting its apps: {Reason}")]
    internal static partial void EndedUnstarted(this ILogger logger, string uuid, string reason);

    [LoggerMessage(3004, LogLevel.Warning, "Pod {Uuid}: {What} could not be cleaned up: {Error}")]
    internal static partial void CleanupFailed(this ILogger logger, string uuid, string what, string error);

    [LoggerMessage(3005, LogLevel.Warning, "Pod {Uuid} runs without a user namespace: root in it is root on the host")]
    internal static partial void NoUserNamespace(this ILogger logger, string uuid);

    [LoggerMessage(3006, LogLevel.Warning, "The app {App} of pod {Uuid} does not see what its image has at {Path}: a volume is mounted over it")]
    internal static partial void VolumeMasks(this ILogger logger, string app, string uuid, string path);
}
