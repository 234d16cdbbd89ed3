using System.Runtime.InteropServices;
using Appc.Stage1;
using Microsoft.Win32.SafeHandles;

namespace Appc.Cli;

/// <summary>The terminal from which this program was started.</summary>
internal static class CallerTerminal
{
    /// <summary>Whether both input and output are one.</summary>
    public static bool IsThere => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public static TerminalSize Size() => new(Math.Max(Console.WindowWidth, 1), Math.Max(Console.WindowHeight, 1));

    /// <summary>What comes from there, or from wherever the input was redirected to, as it comes: the console's own stream edits and echoes lines.</summary>
    public static Stream OpenInput() => Console.IsInputRedirected
        ? Console.OpenStandardInput()
        : new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    /// <summary>Tells the new size whenever it changes.</summary>
    public static PosixSignalRegistration? OnResize(Action<TerminalSize> resize) =>
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => resize(Size()));
}
