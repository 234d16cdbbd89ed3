using Microsoft.Win32.SafeHandles;

namespace Appc.Cli;

/// <summary>The standard output.</summary>
internal static class CallerOutput
{
    /// <summary>A pipe whose reader has gone must be an error here, so that what has no end of its own ends with it: to the console's own stream it is none.</summary>
    public static Stream Open()
    {
        if (Console.IsOutputRedirected && !OperatingSystem.IsWindows())
        {
            FileStream pipe = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            if (!pipe.CanSeek)
            {
                return pipe;
            }
        }

        return Console.OpenStandardOutput();
    }
}
