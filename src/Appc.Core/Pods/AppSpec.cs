using Appc.Images;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>One app that a pod shall hold: an image, and what the pod changes about it.</summary>
public sealed class AppSpec
{
    /// <summary>Makes the app of a stored image.</summary>
    public AppSpec(StoredImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        Image = image;
    }

    /// <summary>The image.</summary>
    public StoredImage Image { get; }

    /// <summary>Name in the pod.</summary>
    /// <value>The default value is null: the last component of the image's name.</value>
    public string? Name { get; set; }

    /// <summary>Program to execute instead of the image's own, without its arguments.</summary>
    /// <value>The default value is null: the image's own <c>exec</c>.</value>
    public string? Exec { get; set; }

    /// <summary>Arguments that are added to those of the image's <c>exec</c>, or to <see cref="Exec"/>.</summary>
    public IList<string> Arguments { get; } = [];

    /// <summary>User: a number, a name in the image, or an absolute path in the image whose owner is taken.</summary>
    /// <value>The default value is null: the image's own.</value>
    public string? User { get; set; }

    /// <summary>Group, in the same forms as <see cref="User"/>.</summary>
    /// <value>The default value is null: the image's own.</value>
    public string? Group { get; set; }

    /// <summary>Supplementary group ids, instead of the image's.</summary>
    public IList<int> SupplementaryGids { get; } = [];

    /// <summary>Working directory.</summary>
    /// <value>The default value is null: the image's own.</value>
    public string? WorkingDirectory { get; set; }

    /// <summary>Environment variables that are added to the image's or replace its.</summary>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Mounts of the pod's volumes into this app, beside those that its mount points ask for by name.</summary>
    public IList<Mount> Mounts { get; } = [];

    /// <summary>Isolators that are added to the image's or replace those of the same name.</summary>
    public IList<Isolator> Isolators { get; } = [];

    /// <summary>Whether the app's root file system is read-only.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool ReadOnlyRootFs { get; set; }

    /// <summary>
    /// Whether the app announces by sd_notify(3) when it is ready (READY=1, on the socket that NOTIFY_SOCKET names). The pod is
    /// ready when all such apps are; see <see cref="Pod.WaitUntilReadyAsync"/>.
    /// </summary>
    /// <value>
    /// The default value is null: as the image says with its annotation <c>appc.io/executor/supports-systemd-notify</c>.
    /// </value>
    public bool? AnnouncesReadiness { get; set; }

    /// <summary>What the app has as its standard input; <see cref="Pod.AttachAsync"/> writes to it.</summary>
    /// <value>
    /// The default value is null: what <see cref="Annotations"/> say with <c>appc.io/executor/standard-input</c>, else <see cref="AppInput.None"/>.
    /// </value>
    public AppInput? Input { get; set; }

    /// <summary>
    /// How long the app may take to stop once it was asked to, whoever stops it: <see cref="Pod.StopAsync"/>, the end of
    /// another app, or the caller's unit. When that is over it is killed. More than 0, at most 1,000,000 seconds.
    /// </summary>
    /// <value>
    /// The default value is null: as the image says with its annotation <c>appc.io/executor/stop-timeout</c>, in seconds
    /// and up to 90 of them; else 10 seconds, or what <see cref="Pod.StopAsync"/> is given.
    /// </value>
    public TimeSpan? StopTimeout { get; set; }

    /// <summary>The signal by which the app is asked to stop: a name such as <c>SIGQUIT</c>, <c>SIGRTMIN+3</c>, or a number.</summary>
    /// <value>The default value is null: as the image says with its annotation <c>appc.io/executor/stop-signal</c>, else SIGTERM.</value>
    public string? StopSignal { get; set; }

    /// <summary>Whether the app is started again when it has ended. Under nspawn only; not for apps that a connection starts.</summary>
    /// <value>
    /// The default value is null: what <see cref="Annotations"/> say with <see cref="RestartPolicy.AnnotationName"/>, else never.
    /// </value>
    public RestartPolicy? Restart { get; set; }

    /// <summary>Annotations of the app in the pod.</summary>
    public IList<Annotation> Annotations { get; } = [];
}
