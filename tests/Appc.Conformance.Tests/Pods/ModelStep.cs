using System.Globalization;
using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>
/// One step: some commands at once, for several workers and mostly about the same pod, and perhaps who is killed meanwhile. What is drawn
/// depends on the seed and the number of the step alone.
/// </summary>
/// <param name="Commands">The commands, with the number of the worker that gets each.</param>
/// <param name="Lag">How much later each is given than the one before.</param>
/// <param name="Victim">The worker that is killed; null for none.</param>
/// <param name="Delay">How long after the commands were given.</param>
/// <param name="Observer">The worker that looks afterwards.</param>
internal sealed record ModelStep(IReadOnlyList<(int Worker, PodCommand Command)> Commands, TimeSpan Lag, int? Victim, TimeSpan Delay, int Observer)
{
    /// <summary>A wait that goes on beside the steps that follow.</summary>
    public const int WaitsOn = 600_000;

    /// <summary>Pods are made in slots: in the first ones by name, in the last two without.</summary>
    public const int Slots = 6;

    private const int NamedSlots = 4;

    private static readonly (int Weight, string Operation)[] s_operations =
    [
        (16, "prepare"), (22, "run"), (14, "run-prepared"), (16, "stop"), (12, "remove"), (6, "collect"),
        (5, "status"), (4, "list"), (6, "wait"), (3, "wait-on"), (2, "open"),
    ];

    /// <summary>Draws a step.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="number">The step's number.</param>
    /// <param name="workers">How many workers there are.</param>
    /// <param name="nspawn">Whether some pods are of the flavour nspawn.</param>
    /// <param name="uuidOf">The pod that was made last in a slot.</param>
    public static ModelStep Draw(int seed, int number, int workers, bool nspawn, Func<int, string> uuidOf)
    {
        Random random = new(unchecked((seed * 1_000_003) + number));
        int count = random.Next(20) switch { < 8 => 1, < 13 => 2, < 17 => 3, _ => 4 };
        int main = random.Next(Slots);
        List<(int Worker, PodCommand Command)> commands = [];
        HashSet<int> makers = [];
        for (int i = 0; i < count; i++)
        {
            int slot = random.Next(4) == 0 ? random.Next(Slots) : main;
            string operation = DrawOperation(random);
            int worker = random.Next(workers);
            PodCommand command = operation is "prepare" or "run"
                ? DrawPod(random, operation, slot, nspawn)
                : DrawOther(random, operation, slot, uuidOf);

            // Of what a killed worker has made, it must be clear by which command it did.
            while (operation is "prepare" or "run" && !makers.Add(worker))
            {
                worker = (worker + 1) % workers;
            }

            commands.Add((worker, command));
        }

        double lag = random.Next(2) * 4 * random.NextDouble();
        if (random.Next(7) == 0)
        {
            // Somebody else takes hold of a pod in the moments in which it is being started.
            int chaser = (commands[0].Worker + 1 + random.Next(workers - 1)) % workers;
            int named = random.Next(NamedSlots);
            string chase = random.Next(4) switch { 0 => "remove", 1 => "status", _ => "stop" };
            commands =
            [
                (commands[0].Worker, DrawPod(random, "run", named, nspawn)),
                (chaser, DrawOther(random, chase, named, uuidOf) with { Pod = NameOf(named), Eager = chase == "stop" }),
            ];
            lag = 15 * random.NextDouble();
        }

        int? victim = random.Next(100) < 18 ? random.Next(5) == 0 ? random.Next(workers) : commands[random.Next(commands.Count)].Worker : null;
        double longest = random.Next(5) switch { 0 => 0, 1 => 0.3, 2 => 2, 3 => 6, _ => 20 };
        return new ModelStep(
            commands, TimeSpan.FromMilliseconds(lag), victim, TimeSpan.FromMilliseconds(longest * random.NextDouble()), random.Next(workers));
    }

    private static string DrawOperation(Random random)
    {
        int at = random.Next(s_operations.Sum(o => o.Weight));
        return s_operations.First(o => (at -= o.Weight) < 0).Operation;
    }

    private static PodCommand DrawPod(Random random, string operation, int slot, bool nspawn) => new()
    {
        Operation = operation,
        Name = slot < NamedSlots ? NameOf(slot) : null,
        Label = LabelOf(slot),
        ExitCode = random.Next(3) == 0 ? random.Next(4) * 7 : null,
        EndsWithHost = random.Next(4) == 0,
        RemoveOnExit = random.Next(5) == 0,
        RecordsOwnEnd = random.Next(4) == 0,
        OwnControlGroup = random.Next(6) == 0,
        Stage1 = random.Next(12) == 0 && nspawn ? "nspawn" : "fly",
    };

    private static PodCommand DrawOther(Random random, string operation, int slot, Func<int, string> uuidOf)
    {
        string pod = slot < NamedSlots && random.Next(2) == 0 ? NameOf(slot) : uuidOf(slot);
        int choice = random.Next(3);
        return operation switch
        {
            "collect" => new PodCommand { Operation = operation, Milliseconds = random.Next(2) * 1_800_000, ExpirePrepared = choice == 0 },
            "list" => new PodCommand
            {
                Operation = operation,
                Name = choice == 0 && slot < NamedSlots ? NameOf(slot) : null,
                Label = choice == 1 ? LabelOf(slot) : null,
                State = choice == 2 ? "Running" : null,
            },
            "stop" => new PodCommand { Operation = operation, Pod = pod, Milliseconds = choice * 1500 },
            "wait" => new PodCommand { Operation = operation, Pod = pod, Milliseconds = choice * 20 },
            "wait-on" => new PodCommand { Operation = "wait", Pod = uuidOf(slot), Milliseconds = WaitsOn },
            _ => new PodCommand { Operation = operation, Pod = pod },
        };
    }

    private static string NameOf(int slot) => string.Create(CultureInfo.InvariantCulture, $"pod-{slot}");

    public static string LabelOf(int slot) => string.Create(CultureInfo.InvariantCulture, $"slot-{slot}");
}
