using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>A prepared pod as a flavour sees it. All of it can be made again from the pod's directory.</summary>
public sealed record Stage1Pod
{
    /// <summary>UUID of the pod: 36 characters, lower case.</summary>
    public required string Uuid { get; init; }

    /// <summary>The pod's directory at this moment. The flavour may put files of its own below <c>stage1/</c>.</summary>
    public required string Directory { get; init; }

    /// <summary>The data directory of the runtime, for what pods share (the stage1 tree, registries).</summary>
    public required string Root { get; init; }

    /// <summary>The reified pod manifest: every app has its own <see cref="RuntimeApp.App"/>.</summary>
    public required PodManifest Manifest { get; init; }

    /// <summary>The apps, in the order of the manifest.</summary>
    public required IReadOnlyList<Stage1App> Apps { get; init; }

    /// <summary>What the pod was asked to be, beyond its manifest.</summary>
    public required Stage1Options Options { get; init; }

    /// <summary>
    /// Descriptor of the pod's lock, held exclusively. The first process must inherit it (its number does not
    /// matter) and keep it open for as long as it lives. While the pod's apps are changed: that of the lock of its apps. -1 at
    /// other times, and on systems without such locks.
    /// </summary>
    public int LockDescriptor { get; init; } = -1;

    /// <summary>What ends the pod beside its apps. Known at the start only.</summary>
    public PodLifetime Lifetime { get; init; }

    /// <summary>Whether apps come and go while the pod runs, so that it does not end with the last one (<see cref="IStage1Apps"/>).</summary>
    public bool Mutable { get; init; }

    /// <summary>Listening sockets that its apps are handed. Known at the start only.</summary>
    public IReadOnlyList<Stage1Socket> Sockets { get; init; } = [];

    /// <summary>
    /// What <c>AC_METADATA_URL</c> is set to for its apps (ace.md, "Execution Environment"); null if no metadata service is there for
    /// the pod. Known from the start on.
    /// </summary>
    public string? MetadataUrl { get; init; }

    /// <summary>Where the app's standard output is appended: <c>DIR/logs/APP.out</c>.</summary>
    public string StandardOutputPath(AcName app) => Path.Combine(Directory, "logs", app + ".out");

    /// <summary>Where the app's standard error is appended: <c>DIR/logs/APP.err</c>.</summary>
    public string StandardErrorPath(AcName app) => Path.Combine(Directory, "logs", app + ".err");

    /// <summary>
    /// Where the app's end is recorded, by rename, by whoever sees it: <c>DIR/status/APP</c>, one line
    /// <c>exited CODE RESULT</c>, <c>killed SIGNAL RESULT</c> or <c>dumped SIGNAL RESULT</c>, with the code as a
    /// number and the signal as a number or a name without SIG. The file's time is the time of the end.
    /// </summary>
    public string StatusPath(AcName app) => Path.Combine(Directory, "status", app.ToString());

    /// <summary>
    /// A file that appears when an app that announces its readiness (<see cref="Stage1App.AnnouncesReadiness"/>) is ready:
    /// <c>DIR/status/.ready-APP</c>.
    /// </summary>
    public string ReadyPath(AcName app) => Path.Combine(Directory, "status", ReadyName(app));

    internal static string ReadyName(AcName app) => ".ready-" + app;
}

/// <summary>One app of a prepared pod.</summary>
public sealed record Stage1App
{
    /// <summary>Name in the pod.</summary>
    public required AcName Name { get; init; }

    /// <summary>What to execute, with every override applied.</summary>
    public required App App { get; init; }

    /// <summary>The app's entry in the pod manifest.</summary>
    public required RuntimeApp Runtime { get; init; }

    /// <summary>Whether the app says by sd_notify(3) when it is ready: its annotation <see cref="ReadinessAnnotation"/> is true.</summary>
    public bool AnnouncesReadiness => Announces(Runtime);

    /// <summary>What the app has as its standard input, as its annotation <see cref="InputAnnotation"/> says.</summary>
    public AppInput Input => InputOf(Runtime);

    /// <summary>Trees to stack read-only below the app's own upper layer, the lowest first.</summary>
    public required IReadOnlyList<string> Layers { get; init; }

    /// <summary>The annotation of images and of apps in a pod that says, with <c>true</c>, that an app announces its readiness.</summary>
    public const string ReadinessAnnotation = "appc.io/executor/supports-systemd-notify";

    /// <summary>The annotation of apps in a pod that says what their standard input is: <c>stream</c>, <c>terminal</c>, or <c>none</c>.</summary>
    public const string InputAnnotation = "appc.io/executor/standard-input";

    internal static AppInput InputOf(RuntimeApp app) => InputOf(app.Annotations) ?? AppInput.None;

    /// <summary>What annotations say about the standard input; null if nothing that is known.</summary>
    internal static AppInput? InputOf(IEnumerable<Annotation> annotations) =>
        annotations.FirstOrDefault(a => a.Name.ToString() == InputAnnotation)?.Value switch
        {
            "stream" => AppInput.Stream,
            "terminal" => AppInput.Terminal,
            "none" => AppInput.None,
            _ => null,
        };

    /// <summary>
    /// How long the app may take to stop once it was asked to: its annotation <see cref="StopTimeoutAnnotation"/>. Null: it
    /// has no time of its own.
    /// </summary>
    public TimeSpan? StopTimeout => StopAnnotations.TimeoutOf(Runtime);

    /// <summary>Number of the signal that asks the app to stop: its annotation <see cref="StopSignalAnnotation"/>, or SIGTERM.</summary>
    public int StopSignal => StopAnnotations.SignalOf(Runtime);

    /// <summary>The annotation of images and of apps in a pod that says how long the app may take to stop, in seconds: <c>30</c>, <c>2.5</c>.</summary>
    public const string StopTimeoutAnnotation = "appc.io/executor/stop-timeout";

    /// <summary>The annotation of images and of apps in a pod that names the signal by which the app is asked to stop: <c>SIGQUIT</c>.</summary>
    public const string StopSignalAnnotation = "appc.io/executor/stop-signal";

    internal static bool Announces(RuntimeApp app) => app.Annotations.Any(a => Announces(a.Name.ToString(), a.Value));

    internal static bool Announces(string? annotation, string? value) => annotation == ReadinessAnnotation && value == "true";
}
