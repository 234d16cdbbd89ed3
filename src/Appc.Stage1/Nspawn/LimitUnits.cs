using System.Globalization;
using Appc.Stage1.Limits;

namespace Appc.Stage1.Nspawn;

/// <summary>What the systemd inside must know about the limits of an app.</summary>
internal static class LimitUnits
{
    /// <summary>The unit that puts the first process of another one into the groups that limit it.</summary>
    internal static string MoverOf(string unit) => "limit-" + unit;

    /// <summary>Adds to the units of an app what the limits need.</summary>
    /// <param name="paths">Where the pod's files are.</param>
    /// <param name="app">The app.</param>
    /// <param name="limits">Its limits.</param>
    /// <param name="version2">The controllers of version 2, which the systemd inside has.</param>
    /// <param name="moves">Whether groups of version 1 limit the app.</param>
    /// <param name="before">Units that come before the app's.</param>
    /// <param name="mutable">Whether other apps go on when this one cannot be limited.</param>
    internal static void Write(
        PodPaths paths, NspawnApp app, ResourceLimits limits, IReadOnlyCollection<string> version2, bool moves, IReadOnlyList<string> before, bool mutable)
    {
        List<(string Name, string Value)> settings = [.. Settings(limits, version2)];
        foreach (string unit in app.MovedUnitNames)
        {
            if (moves)
            {
                PodFilesWriter.WriteFile(Path.Combine(paths.Units, MoverOf(unit)), MoverText(unit, app, mutable));
            }

            WriteSettings(paths, unit, [.. before, .. moves ? [MoverOf(unit)] : (string[])[]], settings);
        }

        if (app.PostStop is not null)
        {
            WriteSettings(paths, app.PostStopUnitName, [], settings);
        }
    }

    private static string MoverText(string unit, NspawnApp app, bool mutable)
    {
        UnitText text = new UnitText().Section("Unit")
            .Set("DefaultDependencies", "no")
            .Set("StopWhenUnneeded", "yes");

        // Where apps come and go, the end of one that cannot be limited is its own: the mover kills it.
        _ = mutable ? text.Set("StartLimitIntervalSec", "0") : text.Set("FailureAction", "exit-force");
        text.Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit);
        if (app.PreStart is not null && unit == app.UnitName)
        {
            // It waits for the unit's first process, and should not wait for long.
            text.Set("Requires", app.PreStartUnitName).Set("After", app.PreStartUnitName);
        }

        PodRestarts.WriteMover(text, app);
        text.Section("Service");
        if (app.Restart is not null)
        {
            // Systemd removes the group when the app has ended.
            text.Set("ExecStartPre", $"/usr/bin/dash /usr/lib/appc/freeze {unit}");
        }

        return text.Set("Type", "simple").Set("ExecStart", $"/usr/bin/dash /usr/lib/appc/limit {unit} {app.Name}").ToString();
    }

    private static void WriteSettings(PodPaths paths, string unit, IReadOnlyList<string> before, List<(string Name, string Value)> settings)
    {
        if (before.Count == 0 && settings.Count == 0)
        {
            return;
        }

        UnitText text = new UnitText().Section("Unit");
        foreach (string needed in before)
        {
            text.Set("Requires", needed).Set("After", needed);
        }

        text.Section("Service");
        settings.ForEach(s => text.Set(s.Name, s.Value));
        string directory = Path.Combine(paths.Units, unit + ".d");
        PodFilesWriter.MakeReadable(directory);
        PodFilesWriter.WriteFile(Path.Combine(directory, "limits.conf"), text.ToString());
    }

    private static IEnumerable<(string Name, string Value)> Settings(ResourceLimits limits, IReadOnlyCollection<string> version2)
    {
        if (version2.Contains(LimitHost.Memory))
        {
            if (limits.Memory is { } memory)
            {
                yield return ("MemoryMax", memory.ToString(CultureInfo.InvariantCulture));
                yield return ("MemorySwapMax", "0");
            }

            if (limits.MemoryRequest is { } request)
            {
                yield return ("MemoryLow", request.ToString(CultureInfo.InvariantCulture));
            }
        }

        if (version2.Contains(LimitHost.Cpu))
        {
            if (limits.Cpu is { } given)
            {
                long cpu = Math.Min(given, LimitFiles.MostMilli);
                yield return ("CPUQuota", string.Create(CultureInfo.InvariantCulture, $"{cpu / 10}.{cpu % 10}%"));
            }

            if (LimitFiles.Weight(limits.CpuShares) is { } weight)
            {
                yield return ("CPUWeight", weight.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}
