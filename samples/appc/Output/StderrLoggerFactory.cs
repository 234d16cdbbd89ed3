using Microsoft.Extensions.Logging;

namespace Appc.Cli.Output;

/// <summary>Shows the library's log on standard error.</summary>
internal sealed class StderrLoggerFactory(Reporter reporter, LogLevel level) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Logger(reporter, level, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Logger(Reporter reporter, LogLevel level, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= level && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            string text = formatter(state, exception);
            if (logLevel >= LogLevel.Warning)
            {
                reporter.Warning(text);
            }
            else
            {
                reporter.Debug($"debug: {category}: {Clean.Line(text)}");
            }

            if (exception is not null && level <= LogLevel.Debug)
            {
                reporter.Debug(exception.ToString());
            }
        }
    }
}
