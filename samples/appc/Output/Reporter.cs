using System.Text;

namespace Appc.Cli.Output;

/// <summary>Writes what is not a result, to standard error: errors, warnings, notes.</summary>
internal sealed class Reporter : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _writer = new(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true };

    public bool Quiet { get; set; }

    public bool IsTerminal { get; } = !Console.IsErrorRedirected;

    public void Error(string message, string? hint = null)
    {
        lock (_lock)
        {
            ClearProgress();
            _writer.WriteLine("appc: " + Clean.Line(message));
            if (!string.IsNullOrEmpty(hint))
            {
                _writer.WriteLine("      " + Clean.Line(hint));
            }
        }
    }

    public void Warning(string message)
    {
        lock (_lock)
        {
            ClearProgress();
            _writer.WriteLine("appc: warning: " + Clean.Line(message));
        }
    }

    public void Note(string message)
    {
        if (Quiet)
        {
            return;
        }

        lock (_lock)
        {
            ClearProgress();
            _writer.WriteLine(Clean.Line(message));
        }
    }

    public void Debug(string message)
    {
        lock (_lock)
        {
            ClearProgress();
            _writer.WriteLine(message);
        }
    }

    public void Question(string message)
    {
        lock (_lock)
        {
            ClearProgress();
            _writer.Write(Clean.Line(message) + " ");
        }
    }

    /// <summary>Replaces the progress line; shown on a terminal only.</summary>
    public void Progress(string line)
    {
        if (Quiet || !IsTerminal)
        {
            return;
        }

        lock (_lock)
        {
            string clean = Clean.Line(line);
            _writer.Write("\r\u001b[K" + (clean.Length > 110 ? clean[..110] : clean));
            _progressShown = true;
        }
    }

    public void EndProgress()
    {
        lock (_lock)
        {
            ClearProgress();
        }
    }

    public void Dispose() => _writer.Dispose();

    private bool _progressShown;

    private void ClearProgress()
    {
        if (_progressShown)
        {
            _writer.Write("\r\u001b[K");
            _progressShown = false;
        }
    }
}
