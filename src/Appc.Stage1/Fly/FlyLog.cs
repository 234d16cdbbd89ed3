using Microsoft.Extensions.Logging;

namespace Appc.Stage1.Fly;

internal static partial class FlyLog
{
    [LoggerMessage(3101, LogLevel.Information, "Pod {Uuid} did not stop within {Seconds} s; killing it")]
    internal static partial void GraceOver(this ILogger logger, string uuid, double seconds);

    [LoggerMessage(3102, LogLevel.Warning, "The end of the app of pod {Uuid} could not be recorded: {Error}")]
    internal static partial void StatusNotWritten(this ILogger logger, string uuid, string error);

    [LoggerMessage(3103, LogLevel.Warning, "The control groups of the ended pod {Uuid} could not be removed: {Error}")]
    internal static partial void GroupsNotRemoved(this ILogger logger, string uuid, string error);

    [LoggerMessage(3104, LogLevel.Warning, "What the app of pod {Uuid} wrote to its terminal could not all be logged: {Error}")]
    internal static partial void TerminalNotLogged(this ILogger logger, string uuid, string error);

    [LoggerMessage(3105, LogLevel.Warning, "The logs of pod {Uuid} are no longer kept to their limit: {Error}")]
    internal static partial void LogsNotKept(this ILogger logger, string uuid, string error);

    [LoggerMessage(3106, LogLevel.Warning, "The app {App} of pod {Uuid} does not see what its image has at {Path}: a volume is mounted over it")]
    internal static partial void VolumeMasks(this ILogger logger, string app, string uuid, string path);
}
