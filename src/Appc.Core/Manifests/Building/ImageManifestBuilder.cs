namespace Appc.Manifests;

/// <summary>Makes an <see cref="ImageManifest"/> from plain text, step by step. Every method gives the builder back.</summary>
public sealed class ImageManifestBuilder
{
    private readonly AcIdentifier _name;
    private readonly List<Label> _labels = [];
    private readonly List<Dependency> _dependencies = [];
    private readonly List<string> _paths = [];
    private readonly List<Annotation> _annotations = [];
    private App? _app;

    /// <summary>Begins a manifest.</summary>
    /// <param name="name">Name of the image.</param>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public ImageManifestBuilder(string name) => _name = AcIdentifier.Parse(name);

    /// <summary>Sets a label, in place of an earlier one of the name.</summary>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public ImageManifestBuilder SetLabel(string name, string value)
    {
        _labels.RemoveAll(label => label.Name.ToString() == name);
        _labels.Add(new Label(name, value));
        return this;
    }

    /// <summary>Sets the label <c>version</c>.</summary>
    public ImageManifestBuilder SetVersion(string version) => SetLabel("version", version);

    /// <summary>Sets the labels <c>os</c> and <c>arch</c>.</summary>
    /// <param name="os">For example <c>linux</c>.</param>
    /// <param name="arch">For example <c>amd64</c>.</param>
    public ImageManifestBuilder SetOsArch(string os, string arch) => SetLabel("os", os).SetLabel("arch", arch);

    /// <summary>Sets an annotation, in place of an earlier one of the name.</summary>
    /// <exception cref="ManifestException">The name is not an AC Identifier.</exception>
    public ImageManifestBuilder SetAnnotation(string name, string value)
    {
        _annotations.RemoveAll(annotation => annotation.Name.ToString() == name);
        _annotations.Add(new Annotation(name, value));
        return this;
    }

    /// <summary>Sets how the image is run.</summary>
    public ImageManifestBuilder SetApp(App app)
    {
        _app = app;
        return this;
    }

    /// <summary>Sets how the image is run.</summary>
    public ImageManifestBuilder SetApp(AppBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return SetApp(app.Build());
    }

    /// <summary>Adds an image that this one is laid over.</summary>
    /// <param name="reference">Name and labels of the image, as <see cref="AppReference"/> reads them.</param>
    /// <param name="imageId">Id of the image, or null.</param>
    /// <param name="size">Size of the image in bytes, or null.</param>
    /// <exception cref="ManifestException">The reference or the id is not valid.</exception>
    public ImageManifestBuilder AddDependency(string reference, string? imageId = null, long? size = null)
    {
        AppReference image = AppReference.Parse(reference);
        _dependencies.Add(new Dependency
        {
            ImageName = image.Name,
            Labels = image.Labels,
            ImageId = imageId is null ? null : ImageId.Parse(imageId),
            Size = size,
        });
        return this;
    }

    /// <summary>Adds paths that exist in the rendered tree; without any, all do.</summary>
    /// <param name="paths">Absolute paths.</param>
    public ImageManifestBuilder AddPaths(params string[] paths)
    {
        _paths.AddRange(paths);
        return this;
    }

    /// <summary>The manifest.</summary>
    /// <exception cref="ManifestException">It is not valid; <see cref="ManifestException.Findings"/> has every fault.</exception>
    public ImageManifest Build()
    {
        ImageManifest manifest = new()
        {
            Name = _name,
            Labels = _labels,
            App = _app,
            Dependencies = _dependencies,
            PathWhitelist = _paths,
            Annotations = _annotations,
        };
        IReadOnlyList<ManifestFinding> findings = manifest.Validate();
        return findings.Count == 0 ? manifest : throw new ManifestException("image manifest", findings);
    }
}
