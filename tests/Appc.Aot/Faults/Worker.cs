using System.Diagnostics;

namespace Appc.Aot.Faults;

/// <summary>A process that does the work of a scenario, one data directory after the other, behind a gate.</summary>
internal sealed class Worker : IDisposable
{
    /// <summary>Begins the line by which the work is reported as done.</summary>
    public const string Done = "done";

    /// <summary>Begins the line of an error as it should be.</summary>
    public const string Refused = "refused ";

    private readonly Process _process;

    private Worker(Process process, SystemCallGate gate)
    {
        _process = process;
        Gate = gate;
    }

    public SystemCallGate Gate { get; }

    public static Worker Start(Scenario scenario, Reference reference, string scratch)
    {
        Process process = new()
        {
            StartInfo = new ProcessStartInfo(Environment.ProcessPath!, ["faults", "work", scenario.Name, reference.Archive, scratch, reference.Id.ToString()])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.Start();
        return new Worker(process, new SystemCallGate(process, scratch));
    }

    /// <summary>The other side.</summary>
    public static async Task ServeAsync(Scenario scenario, Reference reference, string scratch)
    {
        SystemCallFilter.Install();
        while (Console.ReadLine() is { } root)
        {
            string outcome = Done;
            try
            {
                await scenario.RunAsync(new World(scratch, root, reference));
            }
            catch (AppcException e)
            {
                outcome = Refused + e.Message;
            }
#pragma warning disable CA1031 // Judged by the other side.
            catch (Exception e)
#pragma warning restore CA1031
            {
                outcome = e.ToString();
            }

            Console.WriteLine(outcome.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Has the work done; null if the process ended over it.</summary>
    public async Task<string?> RunAsync(World world)
    {
        await _process.StandardInput.WriteLineAsync(world.Root);
        await _process.StandardInput.FlushAsync();
        return await _process.StandardOutput.ReadLineAsync();
    }

    public void Dispose()
    {
        Gate.Dispose();
        _process.Dispose();
    }
}
