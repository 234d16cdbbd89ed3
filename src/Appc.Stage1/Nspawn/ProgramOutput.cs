using System.ComponentModel;
using System.Diagnostics;

namespace Appc.Stage1.Nspawn;

/// <summary>Runs a program of the host for what it prints.</summary>
internal static class ProgramOutput
{
    /// <summary>Its standard output; null if it cannot be run or fails.</summary>
    internal static async Task<string?> ReadAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
                string text = await output.ConfigureAwait(false);
                await errors.ConfigureAwait(false);
                await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
                return process.ExitCode == 0 ? text : null;
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
