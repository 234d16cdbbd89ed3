using System.Diagnostics;
using System.Globalization;

namespace Appc.Benchmarks.Compare;

/// <summary>Runs contestants round by round, so that whatever else the machine does strikes all of them alike.</summary>
internal static class Race
{
    public static async Task RunAsync(List<Contestant> contestants, int rounds)
    {
        // The first round warms caches up, and shows who cannot run here.
        foreach (Contestant contestant in contestants.ToArray())
        {
            if (await OnceAsync(contestant) != 0)
            {
                Console.WriteLine($"{contestant.Name}: does not work here, left out");
                contestants.Remove(contestant);
            }

            contestant.Milliseconds.Clear();
        }

        // A new order each round (the same in each run): nobody always follows the same neighbour.
        var random = new Random(1);
        for (int round = 0; round < rounds; round++)
        {
            Contestant[] order = [.. contestants];
            random.Shuffle(order);
            foreach (Contestant contestant in order)
            {
                int code = await OnceAsync(contestant);
                if (code != 0)
                {
                    throw new InvalidOperationException($"{contestant.Name} ended with {code}");
                }
            }
        }
    }

    public static void Print(string title, IReadOnlyList<Contestant> contestants, IEnumerable<string> baselines)
    {
        Contestant[] units = [.. baselines.Select(b => contestants.FirstOrDefault(c => c.Name == b)).OfType<Contestant>()];
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine($"{"",-38}{"median ms",11}{"min",10}{"p90",10}" + string.Concat(units.Select(u => $"{"to " + u.Name,24}")));
        foreach (Contestant contestant in contestants.OrderBy(c => Median(c.Milliseconds)))
        {
            List<double> times = contestant.Milliseconds;
            double median = Median(times);
            IEnumerable<string> ratios = units.Select(u => (median / Median(u.Milliseconds)).ToString("0.000", CultureInfo.InvariantCulture));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{contestant.Name,-38}{median,11:0.00}{times.Min(),10:0.00}{Percentile(times, 0.9),10:0.00}") + string.Concat(ratios.Select(r => $"{r,24}")));
        }

        Console.WriteLine($"medians of {contestants[0].Milliseconds.Count} {(units.Length > 0 ? "interleaved rounds; ratios of medians" : "rounds")}");
    }

    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    private static double Percentile(IEnumerable<double> values, double part)
    {
        double[] sorted = [.. values.Order()];
        double at = part * (sorted.Length - 1);
        int below = (int)at;
        return below + 1 < sorted.Length
            ? sorted[below] + ((sorted[below + 1] - sorted[below]) * (at - below))
            : sorted[below];
    }

    private static async Task<int> OnceAsync(Contestant contestant)
    {
        await contestant.Before();
        long start = Stopwatch.GetTimestamp();
        int code;
        try
        {
            code = await contestant.Run();
        }
        catch (AppcException exception)
        {
            Console.WriteLine($"{contestant.Name}: {exception.Message}");
            code = 254;
        }

        contestant.Milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        await contestant.After();
        return code;
    }
}
