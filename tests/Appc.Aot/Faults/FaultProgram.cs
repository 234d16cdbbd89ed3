using System.Globalization;
using Appc.Manifests;

namespace Appc.Aot.Faults;

/// <summary>The command line of the fault tests.</summary>
internal static class FaultProgram
{
    /// <summary>
    /// <c>list</c>; <c>refuse SCENARIO ARCHIVE SCRATCH PART PARTS</c>; <c>kill SCENARIO ARCHIVE SCRATCH PART PARTS</c>;
    /// by itself <c>work SCENARIO ARCHIVE SCRATCH ID</c>.
    /// </summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["list"])
        {
            Console.WriteLine(string.Join('\n', Scenario.All.Select(s => s.Name)));
            return 0;
        }

        Scenario scenario = Scenario.All.First(s => s.Name == arguments[1]);
        string archive = arguments[2];
        string scratch = arguments[3];
        if (arguments[0] == "work")
        {
            await Worker.ServeAsync(scenario, new Reference(archive, ImageId.Parse(arguments[4]), string.Empty), scratch);
            return 0;
        }

        FaultMatrix matrix = new(scenario, await Reference.MakeAsync(archive, scratch), scratch, Number(4), Number(5));
        return arguments[0] switch
        {
            "refuse" => await matrix.RefuseAsync(),
            "kill" => await matrix.KillAsync(),
            _ => throw new ArgumentException(arguments[0]),
        };

        int Number(int index) => int.Parse(arguments[index], CultureInfo.InvariantCulture);
    }
}
