namespace Appc.Fuzz;

/// <summary>Ends the program, with the input, if one run takes much longer than any should.</summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Timer _timer;
    private long _runs;
    private long _before = -1;

    public Watchdog(string name, Func<string> input) => _timer = new Timer(
        _ =>
        {
            if (_runs == _before)
            {
                Console.WriteLine($"{name}: {input()}\nit does not end");
                Environment.Exit(1);
            }

            _before = _runs;
        },
        null,
        s_patience,
        s_patience);

    public void Progress() => _runs++;

    public void Dispose() => _timer.Dispose();
}
