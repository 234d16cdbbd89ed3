using Microsoft.Extensions.Logging;

namespace Appc.Core.Tests.Fetching;

/// <summary>Completes a task when a message that begins with a text is logged.</summary>
internal sealed class SignalLogger(string beginning, TaskCompletionSource signal) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (formatter(state, exception).StartsWith(beginning, StringComparison.Ordinal))
        {
            signal.TrySetResult();
        }
    }

    public void Dispose()
    {
    }
}
