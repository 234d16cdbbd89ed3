using System.Runtime.InteropServices;
using Appc.Stage1;

namespace Appc.Cli;

/// <summary>The terminal from which this program was started.</summary>
internal static class CallerTerminal
{
    /// <summary>Whether both input and output are one.</summary>
    public static bool IsThere => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public static TerminalSize Size() => new(Math.Max(Console.WindowWidth, 1), Math.Max(Console.WindowHeight, 1));

    /// <summary>Tells the new size whenever it changes.</summary>
    public static PosixSignalRegistration? OnResize(Action<TerminalSize> resize) =>
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => resize(Size()));
}
