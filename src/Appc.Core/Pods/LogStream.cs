namespace Appc.Pods;

/// <summary>A stream that an app writes to.</summary>
public enum LogStream
{
    /// <summary>Its standard output.</summary>
    Output,

    /// <summary>Its standard error.</summary>
    Error,
}
