using System.Globalization;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Listening sockets on their way into a pod. Nspawn takes them as any program that a socket starts, and passes them to
/// the pod's systemd, which tells them again by their addresses: each is the socket of a unit with the same address.
/// Nothing is bound inside, so the pod's network does not matter.
/// </summary>
internal sealed class NspawnSockets : IDisposable
{
    /// <summary>The first number of descriptors that are handed on (sd_listen_fds(3)).</summary>
    internal const int FirstDescriptor = 3;

    // The root slice always exists, and so is loaded before systemd looks which unit a descriptor belongs to. Every other
    // unit would be loaded too late: descriptors that nobody knows are closed.
    private const string RootSlice = "-.slice";

    private readonly List<HeldDescriptor> _held = [];
    private readonly List<(Stage1Socket Socket, ListeningSocket Bound)> _sockets = [];

    private NspawnSockets()
    {
    }

    /// <summary>Their numbers in this process; held open until this is disposed.</summary>
    internal IReadOnlyList<int> Descriptors => [.. _held.Select(h => h.Number)];

    /// <exception cref="LaunchException">One of them cannot be handed on.</exception>
    internal static NspawnSockets Hold(Stage1Pod pod, string subject)
    {
        NspawnSockets sockets = new();
        try
        {
            foreach (Stage1Socket socket in pod.Sockets)
            {
                sockets._held.Add(SocketHold.Take(socket, subject));
                sockets._sockets.Add((
                    socket,
                    ListeningSocket.Describe(sockets._held[^1].Number, out string problem)
                        ?? throw new LaunchException("look at the sockets", 0, $"{subject}: the socket for the port {socket.Port} cannot be handed on: {problem}")));
            }

            return sockets;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <summary>Whether an app waits for a connection.</summary>
    internal static bool IsLazy(Stage1Pod pod, AcName app) => pod.Sockets.Any(s => s.StartOnConnection && s.App == app);

    /// <summary>Names of an app's socket units.</summary>
    internal static IEnumerable<string> UnitsOf(Stage1Pod pod, AcName app) =>
        pod.Sockets.Where(s => s.App == app).Select(s => s.Port).Distinct().Select(port => UnitName(app, port));

    /// <summary>Whether an app of a pod that runs was handed sockets when the pod was started. What runs does not know it otherwise.</summary>
    internal static bool WereGivenTo(PodPaths paths, Stage1App app) =>
        app.App.Ports.Any(p => p.SocketActivated && File.Exists(Path.Combine(paths.Units, UnitName(app.Name, p.Name))));

    /// <summary>What an app's unit says about its sockets.</summary>
    /// <remarks>
    /// When the app has ended, a connection must not start it once more. One that is started again keeps them until it is
    /// given up, which <see cref="PodRestarts"/> sees to.
    /// </remarks>
    internal static void WriteApp(UnitText unit, Stage1Pod pod, NspawnApp app, int count)
    {
        if (count > 1 && app.Restart is null && UnitsOf(pod, app.Name).Any())
        {
            unit.Set("OnSuccess", ClosedTarget(app.Name)).Set("OnFailure", ClosedTarget(app.Name));
        }
    }

    /// <summary>The units of the sockets.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="count">How many units besides the sockets' hold the pod up; one ends the pod itself.</param>
    internal IEnumerable<(string Name, string Text)> Units(Stage1Pod pod, int count)
    {
        if (_sockets.Count == 0)
        {
            yield break;
        }

        foreach (var unit in _sockets.GroupBy(s => (s.Socket.App, s.Socket.Port)))
        {
            AcName app = unit.Key.App;
            UnitText text = new UnitText().Section("Unit").Set("DefaultDependencies", "no")
                .Set("Conflicts", Stage1TreeFiles.EndUnit).Set("Before", Stage1TreeFiles.EndUnit);
            if (count > 1)
            {
                // A pod that waits for a connection lives.
                text.Set("Wants", PodUnits.AliveTarget).Set("After", PodUnits.AliveTarget);
            }

            text.Section("Socket");
            if (RestartAnnotations.Find(pod.Apps.First(a => a.Name == app).Runtime) is not null)
            {
                // How often it is started again is for its policy to say, however many connections wait for it meanwhile.
                text.Set("TriggerLimitIntervalSec", "0");
            }

            foreach (ListeningSocket bound in unit.Select(u => u.Bound))
            {
                text.Set(bound.Setting, bound.Address.Replace("%", "%%", StringComparison.Ordinal));
            }

            text.Set("Service", NspawnApp.UnitNameOf(app)).Set("FileDescriptorName", unit.Key.Port.ToString());
            yield return (UnitName(app, unit.Key.Port), text.ToString());
        }

        foreach (AcName app in _sockets.Select(s => s.Socket.App).Distinct().Where(_ => count > 1))
        {
            // It must be this side that names the conflict: what is started for OnSuccess= stops nothing that only names it.
            yield return (ClosedTarget(app), new UnitText().Section("Unit").Set("DefaultDependencies", "no")
                .Set("Conflicts", string.Join(' ', UnitsOf(pod, app))).ToString());
        }

        yield return (RootSlice, new UnitText().Section("Unit").Set("DefaultDependencies", "no")
            .Set("Wants", string.Join(' ', _sockets.Select(s => UnitName(s.Socket.App, s.Socket.Port)).Distinct())).ToString());
    }

    /// <summary>Tells nspawn of the descriptors.</summary>
    internal void WriteEnvironment(LaunchPlan plan, List<string> environment)
    {
        if (_sockets.Count > 0)
        {
            environment.Add(string.Create(CultureInfo.InvariantCulture, $"LISTEN_FDS={_sockets.Count}"));
            plan.TellProcessId("LISTEN_PID");
        }
    }

    public void Dispose() => _held.ForEach(h => h.Dispose());

    private static string UnitName(AcName app, AcName port) => $"app-{app}--{port}.socket";

    private static string ClosedTarget(AcName app) => $"app-{app}--closed.target";
}
