using System.Net;
using Microsoft.Extensions.Logging;

namespace Appc.Metadata;

/// <summary>What the metadata service logs. The numbers are stable.</summary>
internal static partial class MetadataLog
{
    [LoggerMessage(7001, LogLevel.Information, "The metadata service serves the pods of {Root}; in the host's network: {EndPoint}.")]
    public static partial void Serves(this ILogger log, string root, string endPoint);

    [LoggerMessage(7002, LogLevel.Debug, "The metadata service listens in pod {Uuid}.")]
    public static partial void ListensIn(this ILogger log, string uuid);

    [LoggerMessage(7003, LogLevel.Warning, "The metadata service cannot listen in pod {Uuid}.")]
    public static partial void CannotListenIn(this ILogger log, string uuid, Exception exception);

    [LoggerMessage(7004, LogLevel.Debug, "Pod {Uuid}: {Method} {Path}: {Status}.")]
    public static partial void Answered(this ILogger log, string uuid, string method, string path, HttpStatusCode status);

    [LoggerMessage(7005, LogLevel.Warning, "Pod {Uuid} cannot be answered.")]
    public static partial void AnswerFailed(this ILogger log, string uuid, Exception exception);
}
