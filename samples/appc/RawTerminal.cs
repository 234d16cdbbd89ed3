using System.Diagnostics;

namespace Appc.Cli;

/// <summary>Hands every key to somebody else, unchanged, until it is disposed: <c>stty</c> knows how on every system.</summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly string _before;

    private RawTerminal(string before) => _before = before;

    public static async Task<RawTerminal?> EnterAsync()
    {
        string? before = await SttyAsync("-g");
        return before is not null && await SttyAsync("raw", "-echo") is not null ? new RawTerminal(before) : null;
    }

    public void Dispose() => SttyAsync(_before).GetAwaiter().GetResult();

    private static async Task<string?> SttyAsync(params string[] arguments)
    {
        try
        {
            // Of a child that has one of its streams at the terminal, .NET undoes the changes when it ends.
            using Process stty = Process.Start(new ProcessStartInfo("stty", ["-F", "/dev/tty", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            string output = await stty.StandardOutput.ReadToEndAsync();
            await stty.WaitForExitAsync();
            return stty.ExitCode == 0 ? output.Trim() : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
