using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;

namespace Appc.Pods;

/// <summary>The pod that a host asks for. The runtime makes the pod's manifest of it, and checks it first.</summary>
public sealed class PodSpec
{
    /// <summary>Makes a pod to which apps are added.</summary>
    public PodSpec()
    {
    }

    /// <summary>Makes a pod of one app.</summary>
    public PodSpec(AppSpec app) => Apps.Add(app);

    /// <summary>
    /// A name by which the pod can be opened, as a valid AC name of at most 128 characters. No other pod of the data directory
    /// has it until this one is removed.
    /// </summary>
    /// <value>The default value is null: the pod has no name but its UUID.</value>
    public string? Name { get; set; }

    /// <summary>
    /// What the host wants to know of the pod, for <see cref="PodFilter.Labels"/>. The keys are AC identifiers, the values any
    /// text of one line. They mean nothing to this library.
    /// </summary>
    public IDictionary<string, string> Labels { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the pod ends with the program that starts it, however that ends.</summary>
    /// <value>The default value is <see cref="PodLifetime.Independent"/>: the pod outlives it.</value>
    public PodLifetime Lifetime { get; set; }

    /// <summary>
    /// Whether apps can be added, started, stopped and removed while the pod runs: <see cref="Pod.AddAppAsync"/>. Such a pod may
    /// begin without any app, and does not end with its last one, however that ends: <see cref="Pod.StopAsync"/> ends it.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: its apps are those that it was made with.</value>
    public bool Mutable { get; set; }

    /// <summary>The apps; at least one, unless the pod is <see cref="Mutable"/>.</summary>
    public IList<AppSpec> Apps { get; } = [];

    /// <summary>The volumes that the apps' mount points and mounts name.</summary>
    public IList<Volume> Volumes { get; } = [];

    /// <summary>Ports that are exposed on the host.</summary>
    public IList<ExposedPort> Ports { get; } = [];

    /// <summary>
    /// Listening sockets of this process that apps are handed, for the ports that their images declare with
    /// <c>socketActivated</c>. They work whatever network the pod has.
    /// </summary>
    public IList<PodSocket> Sockets { get; } = [];

    /// <summary>Isolators of the whole pod.</summary>
    public IList<Isolator> Isolators { get; } = [];

    /// <summary>Annotations of the pod.</summary>
    public IList<Annotation> Annotations { get; } = [];

    /// <summary>Name of the stage1 flavour.</summary>
    /// <value>The default value is null: the flavour that was registered first.</value>
    public string? Stage1 { get; set; }

    /// <summary>What the flavour is asked beyond the manifest.</summary>
    public Stage1Options Options { get; set; } = new();

    /// <summary>
    /// What must be proven about the images and those that they depend on, when the pod is prepared and again when it
    /// starts: the keys that signed them must be trusted then. An image that was stored without a check runs only under
    /// <see cref="TrustPolicy.Insecure"/> or a policy that names its id.
    /// </summary>
    /// <value>The default value is null: the runtime's policy, <see cref="PodRuntimeBuilder.UseTrustPolicy"/>.</value>
    public TrustPolicy? Trust { get; set; }

    /// <summary>Whether a pod is refused, before anything is written, if one of its isolators cannot be enforced on this host.</summary>
    /// <value>The default value is <see langword="false"/>: such isolators are logged, and the pod runs without them. What is said here holds for apps that are added later, too.</value>
    public bool Strict { get; set; }

    /// <summary>Whether the pod's directory is removed when it ends while this runtime lives.</summary>
    /// <value>The default value is <see langword="false"/>: logs and statuses stay until garbage collection.</value>
    public bool RemoveOnExit { get; set; }

    /// <summary>
    /// Whether disposing the <see cref="Pod"/> that the start returned stops the pod. Otherwise the pod outlives
    /// its handle, the runtime and the host program.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool StopOnDispose { get; set; }
}
