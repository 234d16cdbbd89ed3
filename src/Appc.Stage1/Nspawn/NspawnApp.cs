using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Isolation;
using Appc.Stage1.Volumes;

namespace Appc.Stage1.Nspawn;

/// <summary>One app of a pod, with everything about it found out and decided.</summary>
internal sealed record NspawnApp
{
    // What systemd tells the program that records the end, to which the app's own variables are given too.
    internal static readonly string[] VariablesOfTheEnd = ["EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT"];

    // What systemd mounts over in the root of every app.
    private static readonly string[] MountPoints = ["/proc", "/sys", "/dev", "/run"];

    internal required Stage1App App { get; init; }

    internal required AppUser User { get; init; }

    internal required CapabilitySet Capabilities { get; init; }

    /// <summary>Whether the manifest asks for exactly these capabilities.</summary>
    internal required bool CapabilitiesRetained { get; init; }

    /// <summary>The filter of system calls; null for none.</summary>
    internal required SystemCallFilter? Filter { get; init; }

    internal required bool NoNewPrivileges { get; init; }

    /// <summary>
    /// Whether a user of the app gains nothing by executing programs. Before version 256, systemd cannot filter the calls of a
    /// user who is not root otherwise; it is the same with any version.
    /// </summary>
    internal bool GainsNoPrivileges(AppUser user) => NoNewPrivileges || (Filter is not null && user.Uid != 0);

    /// <summary>Absolute path of the program in the app's root.</summary>
    internal required string Program { get; init; }

    /// <summary>What is run before the app, and must succeed; null for nothing.</summary>
    internal NspawnHandler? PreStart { get; init; }

    /// <summary>What is run after the app, however it ended; null for nothing.</summary>
    internal NspawnHandler? PostStop { get; init; }

    internal required IReadOnlyDictionary<string, string> Environment { get; init; }

    internal required int OomScoreAdjustment { get; init; }

    /// <summary>How many processes each user of the app may have.</summary>
    internal int MaxProcesses { get; init; } = new NspawnOptions().MaxProcesses;

    /// <summary>The AppArmor profile that its processes get; null for none of its own.</summary>
    internal string? AppArmorProfile { get; init; }

    /// <summary>The app itself, as its handlers are.</summary>
    internal NspawnHandler Command => new(Program, App.App.Exec);

    /// <summary>Where its processes begin.</summary>
    internal required string WorkingDirectory { get; init; }

    /// <summary>
    /// What the image has in /run, where systemd mounts an empty file system: these files and directories are mounted over that.
    /// Not what is systemd's own.
    /// </summary>
    internal IReadOnlyList<string> RunContents { get; init; } = [];

    /// <summary>What of it is seen beside the app's volumes.</summary>
    internal IEnumerable<string> ShownRunContents =>
        Mounts.Any(m => m.Target == "/run") ? [] : RunContents.Where(e => Mounts.All(m => m.Target != "/run/" + e));

    /// <summary>Directories that systemd mounts over and the image lacks.</summary>
    internal required IReadOnlyList<string> MissingDirectories { get; init; }

    /// <summary>Its volumes. Known when its root is put together: later their sources may be gone.</summary>
    internal IReadOnlyList<AppMount> Mounts { get; init; } = [];

    /// <summary>Owner and mode of the image's root directory.</summary>
    internal required Libc.Statx RootAttributes { get; init; }

    /// <summary>How it is started again; null if it is not.</summary>
    internal RestartPolicy? Restart => RestartAnnotations.Find(App.Runtime);

    internal AcName Name => App.Name;

    internal string UnitName => UnitNameOf(Name);

    internal static string UnitNameOf(AcName name) => $"app-{name}.service";

    internal string PreStartUnitName => $"pre-start-{Name}.service";

    internal string PostStopUnitName => $"post-stop-{Name}.service";

    /// <summary>The units in which something of the app is executed.</summary>
    internal IReadOnlyList<string> UnitNames => [.. MovedUnitNames, .. PostStop is null ? (string[])[] : [PostStopUnitName]];

    /// <summary>Those whose first process is put into the groups that limit the app; the last handler is bounded by the pod's limits only.</summary>
    internal IReadOnlyList<string> MovedUnitNames => [UnitName, .. PreStart is null ? (string[])[] : [PreStartUnitName]];

    /// <summary>Beside the app's root: what the root has in /run.</summary>
    internal const string RunName = "run";

    internal string RunDirectory => $"{Stage1TreeFiles.AppsDirectory}/{Name}/{RunName}";

    internal string RootDirectory => $"{Stage1TreeFiles.AppsDirectory}/{Name}/rootfs";

    /// <summary>Finds out about an app.</summary>
    /// <exception cref="LaunchException">The app cannot be run as it is described.</exception>
    internal static NspawnApp Resolve(Stage1Pod pod, Stage1App app, ImageTree tree, string subject)
    {
        AppUser user = AppUser.Resolve(app.App, tree, subject);
        foreach (uint id in (IEnumerable<uint>)[user.Uid, user.Gid, .. user.Groups])
        {
            // The highest one means "none" to many programs, systemd among them.
            if ((pod.Options.PrivateUsers && id >= IdRanges.Size) || id == IdRanges.Size - 1)
            {
                throw new LaunchException("find the user", 0, $"{subject}: the id {id} cannot be used in a pod", $"Use one below {IdRanges.Size - 1}.");
            }
        }

        CapabilitySet capabilities = CapabilitySet.FromIsolators(app.App.Isolators, out bool retained);
        if (pod.Options.KeepAllCapabilities)
        {
            (capabilities, retained) = (CapabilitySet.All, true);
        }

        bool entersAny = user.Uid == 0 || (retained && (capabilities.Bits & CapabilitySet.Of("CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH").Bits) != 0);
        string directory = AppDirectory.Check(app, user, entersAny, tree, subject);
        CheckMountPoints(tree, subject);
        IReadOnlyDictionary<string, string> environment = AppEnvironment.Build(pod, app, user);
        if (environment.Keys.FirstOrDefault(VariablesOfTheEnd.Contains) is { } reserved)
        {
            throw new LaunchException("prepare the environment", 0, $"{subject}: the app {app.Name} cannot have a variable {reserved}: by it the pod learns how the app ended");
        }

        CheckWords(app, environment, subject);
        return new NspawnApp
        {
            App = app,
            User = user,
            Capabilities = capabilities,
            CapabilitiesRetained = retained,
            Filter = pod.Options.NoSeccomp ? null : SystemCallFilter.FromIsolators(app.App.Isolators, capabilities),
            NoNewPrivileges = IsolatorReader.ReadBoolean(app.App.Isolators, IsolatorNames.NoNewPrivileges),
            Program = FindProgram(app, app.App.Exec, tree, environment, subject),
            PreStart = FindHandler("pre-start", app, tree, environment, subject),
            PostStop = FindHandler("post-stop", app, tree, environment, subject),
            Environment = environment,
            OomScoreAdjustment = Math.Clamp(IsolatorReader.ReadInteger(app.App.Isolators, IsolatorNames.OomScoreAdj) ?? 0, -1000, 1000),
            WorkingDirectory = directory,
            RunContents = [.. tree.Contents("/run").Where(e => e.Stat.Type is Libc.S_IFDIR or Libc.S_IFREG && e.Name != "systemd" && !e.Name.Any(char.IsControl)).Select(e => e.Name)],
            MissingDirectories = [.. (MountPoints).Where(d => tree.Stat(d) is null)],
            RootAttributes = tree.Root,
        };
    }

    /// <summary>The same with its volumes.</summary>
    /// <exception cref="LaunchException">One of them is impossible.</exception>
    internal NspawnApp WithMounts(Stage1Pod pod, ImageTree tree, string subject) => this with
    {
        Mounts = AppMounts.Of(pod, App, tree, NspawnVolumes.IdsOf(pod), subject),
    };

    private static NspawnHandler? FindHandler(string name, Stage1App app, ImageTree tree, IReadOnlyDictionary<string, string> environment, string subject) =>
        app.App.EventHandlers.FirstOrDefault(h => h.Name == name) is { } handler
            ? new NspawnHandler(FindProgram(app, handler.Exec, tree, environment, subject), handler.Exec)
            : null;

    private static string FindProgram(Stage1App app, IReadOnlyList<string> exec, ImageTree tree, IReadOnlyDictionary<string, string> environment, string subject)
    {
        if (exec.Count == 0 || exec[0].Length == 0)
        {
            throw new LaunchException("find the program", 0, $"{subject}: the app {app.Name} has no program to execute", "Give the image an exec, or the pod one for the app.");
        }

        IReadOnlyList<string> candidates = ProgramSearch.Candidates(exec[0], app.App.WorkingDirectory, environment["PATH"]);
        string? found = candidates.FirstOrDefault(c => tree.Stat(c) is { } s && s.Type == Libc.S_IFREG && (s.Mode & 0x49) != 0)
            ?? candidates.FirstOrDefault(c => app.Runtime.Mounts.Any(m => MountPath.IsBelow(c, m.Path.TrimEnd('/'))));
        if (found is null)
        {
            string why = candidates.Any(c => tree.Stat(c) is not null) ? "is not an executable file" : "does not exist";
            throw new LaunchException(
                "find the program",
                0,
                Printable.Text($"{subject}: the program {exec[0]} of the app {app.Name} {why} in the image"),
                candidates.Count > 1 ? "Looked in " + Printable.Text(environment["PATH"]) : "Check the app's exec.");
        }

        // Up what a link leads to is not where the link is.
        string[] names = [.. found.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(n => n != ".")];
        return names.Contains("..") ? found : "/" + string.Join('/', names);
    }

    private static void CheckMountPoints(ImageTree tree, string subject)
    {
        foreach (string path in MountPoints)
        {
            if (tree.Stat(path) is { } stat && stat.Type != Libc.S_IFDIR)
            {
                throw new LaunchException("look at the image", 0, $"{subject}: {path} is a file in the image, and every app has a directory there", $"Leave {path} out of the image, or make it a directory.");
            }
        }
    }

    /// <summary>What the kernel hands to no program is said here, in words.</summary>
    private static void CheckWords(Stage1App app, IReadOnlyDictionary<string, string> environment, string subject)
    {
        int longest = (32 * System.Environment.SystemPageSize) - 1; // MAX_ARG_STRLEN, with the zero at the end
        foreach ((string what, string word) in (IEnumerable<(string, string)>)
            [
                .. ((IEnumerable<IReadOnlyList<string>>)[app.App.Exec, .. app.App.EventHandlers.Select(h => h.Exec)]).SelectMany(e => e.Select(w => ("an argument", w))),
                .. environment.Select(v => ($"the variable {v.Key}", $"{v.Key}={v.Value}")),
            ])
        {
            if (word.Contains('\0', StringComparison.Ordinal))
            {
                throw new LaunchException("prepare the arguments", 0, Printable.Text($"{subject}: {what} of the app {app.Name} holds a zero character, which ends it for the kernel"));
            }

            int length = Encoding.UTF8.GetByteCount(word);
            if (length > longest)
            {
                throw new LaunchException(
                    "prepare the arguments",
                    0,
                    Printable.Text(string.Create(CultureInfo.InvariantCulture, $"{subject}: {what} of the app {app.Name} has {length} bytes, and the kernel takes {longest}")),
                    "Put it into a file, for example in a volume.");
            }
        }
    }
}
