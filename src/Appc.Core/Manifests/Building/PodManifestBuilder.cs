namespace Appc.Manifests;

/// <summary>Makes a <see cref="PodManifest"/> from plain text, step by step. Every method gives the builder back.</summary>
public sealed class PodManifestBuilder
{
    private readonly List<RuntimeApp> _apps = [];
    private readonly List<Volume> _volumes = [];
    private readonly List<Isolator> _isolators = [];
    private readonly List<Annotation> _annotations = [];
    private readonly List<ExposedPort> _ports = [];

    /// <summary>Adds an app.</summary>
    public PodManifestBuilder AddApp(RuntimeApp app)
    {
        _apps.Add(app);
        return this;
    }

    /// <summary>Adds an app.</summary>
    /// <param name="name">Name of the app in the pod.</param>
    /// <param name="imageId">Id of its image.</param>
    /// <param name="app">Stands in for the app of the image's own manifest; null means that one.</param>
    /// <param name="mounts">Which volume is mounted where, each as <see cref="Mount.Parse"/> reads it.</param>
    /// <exception cref="ManifestException">The name, the id or a mount is not valid.</exception>
    public PodManifestBuilder AddApp(string name, string imageId, App? app = null, params string[] mounts) => AddApp(new RuntimeApp
    {
        Name = AcName.Parse(name),
        Image = new RuntimeImage { Id = ImageId.Parse(imageId) },
        App = app,
        Mounts = [.. mounts.Select(Mount.Parse)],
    });

    /// <summary>Adds a volume.</summary>
    public PodManifestBuilder AddVolume(Volume volume)
    {
        _volumes.Add(volume);
        return this;
    }

    /// <summary>Adds a volume.</summary>
    /// <param name="volume">The volume as <see cref="Volume.Parse"/> reads it.</param>
    /// <exception cref="ManifestException">The text is not a volume.</exception>
    public PodManifestBuilder AddVolume(string volume) => AddVolume(Volume.Parse(volume));

    /// <summary>Adds something that the pod as a whole is confined by.</summary>
    public PodManifestBuilder AddIsolator(Isolator isolator)
    {
        _isolators.Add(isolator);
        return this;
    }

    /// <summary>Sets an annotation, in place of an earlier one of the name.</summary>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public PodManifestBuilder SetAnnotation(string name, string value)
    {
        _annotations.RemoveAll(annotation => annotation.Name.ToString() == name);
        _annotations.Add(new Annotation(name, value));
        return this;
    }

    /// <summary>Makes a port of an app reachable from outside.</summary>
    /// <param name="name">Name of the app's port.</param>
    /// <param name="hostPort">Port of the host.</param>
    /// <param name="hostIp">IPv4 address of the host to listen on; null for all.</param>
    /// <exception cref="ManifestException">The name is not an AC Name.</exception>
    public PodManifestBuilder AddPort(string name, int hostPort, string? hostIp = null)
    {
        _ports.Add(new ExposedPort { Name = AcName.Parse(name), HostPort = hostPort, HostIp = hostIp });
        return this;
    }

    /// <summary>The manifest.</summary>
    /// <exception cref="ManifestException">It is not valid; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public PodManifest Build()
    {
        PodManifest manifest = new()
        {
            Apps = _apps,
            Volumes = _volumes,
            Isolators = _isolators,
            Annotations = _annotations,
            Ports = _ports,
        };
        IReadOnlyList<ManifestFinding> findings = manifest.Validate();
        return findings.Count == 0 ? manifest : throw new ManifestException("pod manifest", findings);
    }
}
