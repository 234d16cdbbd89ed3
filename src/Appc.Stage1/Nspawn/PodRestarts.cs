using System.Globalization;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What is different about the units of an app that is started again. Systemd starts it again whatever its end was, but a unit
/// before it decides each time whether it really is, and for how long it waits: systemd itself
/// waits equally long each time, and counts such an end neither as success nor as failure for what depends on it. When the unit
/// before it refuses, another one records the app's end, and ends the pod where the exit policy says so.
/// </summary>
internal static class PodRestarts
{
    internal static string BeginUnitOf(AcName app) => $"begin-{app}.service";

    internal static string GivenUpUnitOf(AcName app) => $"given-up-{app}.service";

    /// <summary>The units beside the app's own; none for an app without a policy.</summary>
    /// <param name="app">The app.</param>
    /// <param name="exit">The pod's exit policy.</param>
    /// <param name="mutable">Whether apps come and go.</param>
    /// <param name="sockets">The units of the app's sockets, which it has for as long as it is started again.</param>
    internal static IEnumerable<(string Name, string Text)> Units(NspawnApp app, PodExitPolicy exit, bool mutable, IEnumerable<string> sockets)
    {
        if (app.Restart is not { } policy)
        {
            yield break;
        }

        UnitText begin = Begun(new UnitText().Section("Unit").Set("OnFailure", GivenUpUnitOf(app.Name)));
        if (mutable)
        {
            // What marks each beginning empties the status, which whoever gives the app up then writes.
            begin.Set("After", PodUnits.BegunUnitOf(app.Name));
        }

        yield return (BeginUnitOf(app.Name), begin.Section("Service")
            .Set("Type", "oneshot")
            .Set("TimeoutStopSec", "5s")
            .Set("ExecStart", $"/usr/bin/dash /usr/lib/appc/begin {Arguments(app.Name, policy)}").ToString());

        UnitText givenUp = new UnitText().Section("Unit").Set("DefaultDependencies", "no")
            .Set("StartLimitIntervalSec", "0")

            // Since version 254 an app whose start was refused remains one that is about to be started, and would hold the pod up.
            .Set("Conflicts", string.Join(' ', [app.UnitName, .. sockets]))
            .Set("Before", Stage1TreeFiles.EndUnit)
            .Set("Wants", PodUnits.AliveTarget).Set("After", PodUnits.AliveTarget);
        if (exit != PodExitPolicy.LastExit)
        {
            givenUp.Set("OnFailure", Stage1TreeFiles.EndUnit).Set("OnFailureJobMode", "replace-irreversibly");
        }

        if (exit == PodExitPolicy.AnyExit)
        {
            givenUp.Set("OnSuccess", Stage1TreeFiles.EndUnit).Set("OnSuccessJobMode", "replace-irreversibly");
        }

        yield return (GivenUpUnitOf(app.Name), givenUp.Section("Service")
            .Set("Type", "oneshot")
            .Set("ExecStart", $"/usr/bin/dash /usr/lib/appc/given-up {app.Name}").ToString());
    }

    /// <summary>In the place of what an app's unit says about its end.</summary>
    internal static void WriteApp(UnitText unit, NspawnApp app) => After(Begun(unit), app);

    /// <summary>After all else of the unit, so that it counts.</summary>
    internal static void WriteService(UnitText unit, NspawnApp app)
    {
        if (app.Restart is not null)
        {
            unit.Set("Restart", "always").Set("RestartSec", "1ms");
        }
    }

    /// <summary>In the place of what the unit of the handler says about its failure.</summary>
    internal static void WritePreStart(UnitText unit, NspawnApp app) =>
        After(Begun(unit), app).Set("OnFailure", GivenUpUnitOf(app.Name));

    /// <summary>The last handler runs at each end: its unit is stopped, and started, whenever the app's is started again.</summary>
    internal static void WritePostStop(UnitText unit, NspawnApp app)
    {
        if (app.Restart is not null)
        {
            After(unit, app).Set("StartLimitIntervalSec", "0").Set("PartOf", app.UnitName);
        }
    }

    internal static void WriteMover(UnitText unit, NspawnApp app)
    {
        if (app.Restart is not null)
        {
            After(unit, app).Set("StartLimitIntervalSec", "0");
        }
    }

    private static UnitText Begun(UnitText unit) => unit
        .Set("DefaultDependencies", "no")
        .Set("StartLimitIntervalSec", "0")
        .Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit)
        .Set("Wants", PodUnits.AliveTarget).Set("After", PodUnits.AliveTarget);

    private static UnitText After(UnitText unit, NspawnApp app) => unit.Set("Requires", BeginUnitOf(app.Name)).Set("After", BeginUnitOf(app.Name));

    private static string Arguments(AcName app, RestartPolicy policy) => string.Create(
        CultureInfo.InvariantCulture,
        $"{app} {(policy.Mode == RestartMode.Always ? "always" : "on-failure")} {Milliseconds(policy.Delay)} {Milliseconds(policy.MaxDelay)} {policy.MaxRestarts?.ToString(CultureInfo.InvariantCulture) ?? "-"} {Milliseconds(policy.Window ?? TimeSpan.Zero) / 10}");

    private static long Milliseconds(TimeSpan time) => (long)Math.Round(time.TotalMilliseconds);
}
