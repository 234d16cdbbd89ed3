using System.Diagnostics;

namespace Appc.Conformance.Tests.Cli;

/// <summary>Runs programs to their end, or starts them to be watched and killed.</summary>
public static class Programs
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool input = false)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        if (!input)
        {
            process.StandardInput.Close();
        }

        return process;
    }

    public static Task<Outcome> RunAsync(string program, params string[] arguments) => RunAsync(program, arguments, null);

    public static async Task<Outcome> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, string? input = null)
    {
        using Process process = Start(program, arguments, environment, input is not null);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in time");
        }

        return new Outcome(process.ExitCode, await output, await error);
    }

    public static async Task<string> MustAsync(string program, params string[] arguments)
    {
        Outcome outcome = await RunAsync(program, arguments);
        Assert.True(outcome.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {outcome}");
        return outcome.Output;
    }

    /// <summary>Polls until something holds.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience, $"in vain: {what}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
