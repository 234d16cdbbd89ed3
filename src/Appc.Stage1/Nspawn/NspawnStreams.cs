using Appc.Linux;
using Appc.Stage1.Streams;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The standard inputs of a pod's apps. A stream is a FIFO that systemd-nspawn keeps open (<see cref="HeldInput"/>); a terminal is the
/// pod's console, the output of which systemd-nspawn copies to the app's log.
/// </summary>
internal sealed class NspawnStreams : IDisposable
{
    private const string Terminal = "/dev/console";

    private readonly List<InputStreamFile> _streams = [];
    private NspawnApp? _terminal;

    private NspawnStreams()
    {
    }

    /// <summary>What systemd-nspawn inherits, not passing it on.</summary>
    internal IReadOnlyList<int> Descriptors => [.. _streams.Select(s => Number(s.Held.Socket))];

    /// <summary>
    /// How systemd-nspawn makes the pod's console: read-only means a terminal of which the output is copied, and the input is left to others.
    /// </summary>
    internal string Console => _terminal is null ? "--console=pipe" : "--console=read-only";

    /// <summary>Makes what the apps' inputs need.</summary>
    internal static NspawnStreams Prepare(IReadOnlyList<NspawnApp> apps, PodPaths paths, uint firstId)
    {
        NspawnStreams streams = new();
        try
        {
            foreach (NspawnApp app in apps.Where(a => a.App.Input == AppInput.Stream))
            {
                streams._streams.Add(InputStreamFile.Make(
                    Path.Combine(paths.Inputs, app.Name.ToString()), paths.HeldInput(app.Name), firstId + app.User.Uid, firstId + app.User.Gid));
            }

            streams._terminal = apps.FirstOrDefault(a => a.App.Input == AppInput.Terminal);
            return streams;
        }
        catch
        {
            streams.Dispose();
            throw;
        }
    }

    /// <summary>Where the output of the console goes; null for that of systemd-nspawn itself.</summary>
    internal LaunchArgument? OpenOutput(LaunchPlan plan, Stage1Pod pod) => _terminal is null
        ? null
        : plan.Open("open the log", pod.StandardOutputPath(_terminal.Name), LibC.O_WRONLY | LibC.O_APPEND | LibC.O_NOFOLLOW);

    /// <summary>Where a process of an app reads from and writes to.</summary>
    internal static void Write(UnitText unit, NspawnApp app, AppInput input, NspawnHostServices host)
    {
        if (input == AppInput.Terminal)
        {
            // With a size that is set systemd does not ask the terminal for one, to which nobody would answer.
            unit.Set("StandardInput", "tty-force").Set("StandardOutput", "tty").Set("StandardError", "tty")
                .Set("TTYPath", Terminal).Set("TTYColumns", "80").Set("TTYRows", "24");
            return;
        }

        unit.Set("StandardInput", input == AppInput.Stream ? $"file:{Stage1TreeFiles.PodDirectory}/{PodPaths.InputsName}/{app.Name}" : "null");
        host.WriteOutput(unit, app.Name);
    }

    public void Dispose() => _streams.ForEach(s => s.Dispose());

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}
