using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Appc.PowerShell.Tests;

/// <summary>Runs PowerShell scripts in a process of their own against the published libraries.</summary>
public static partial class PowerShellScripts
{
    public static string Modules { get; } = Path.Combine(AppContext.BaseDirectory, "modules");

    public static async Task<(int ExitCode, string[] Output, string Error)> RunAsync(string directory, string script, params string[] parameters)
    {
        string host = Path.Combine(AppContext.BaseDirectory, "host", "PowerShellHost");
        return await RunProgramAsync(directory, host, [script, .. parameters]);
    }

    public static async Task<(int ExitCode, string[] Output, string Error)> RunTextAsync(string directory, string text, params string[] parameters)
    {
        string script = Path.Combine(directory, Path.GetRandomFileName() + ".ps1");
        await File.WriteAllTextAsync(script, text);
        return await RunAsync(directory, script, parameters);
    }

    public static async Task<(int ExitCode, string[] Output, string Error)> RunProgramAsync(string directory, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries), await error);
    }

    /// <summary>The samples of a document, in its order.</summary>
    public static async Task<string[]> SamplesOfAsync(string document) =>
        [.. PowerShellBlock().Matches(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, document))).Select(m => m.Groups["code"].Value)];

    [GeneratedRegex("```powershell\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex PowerShellBlock();
}
