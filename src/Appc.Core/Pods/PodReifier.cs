using System.Globalization;
using Appc.Images;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>
/// Makes of what a host asks for the manifest of a pod that can run: images by id, every app with its final
/// <c>app</c> section, every mount point with a volume. Touches nothing; all that is wrong is said at once.
/// </summary>
internal sealed class PodReifier
{
    private const int LongestLabel = 4096;

    // Names of units and files are made of it, which have 255 characters at the most.
    private const int LongestAppName = 200;

    private readonly PodSpec _spec;
    private readonly List<string> _faults = [];
    private readonly List<Volume> _volumes;
    private readonly Dictionary<(AcName App, AcName Point), AcName> _implicit = [];

    private PodReifier(PodSpec spec)
    {
        _spec = spec;
        _volumes = [.. spec.Volumes];
    }

    /// <exception cref="PodException">The specification does not make a pod.</exception>
    public static PodManifest Reify(PodSpec spec, IStage1 stage1)
    {
        PodManifest manifest = Reify(spec, stage1, out IReadOnlyList<PodFinding> findings);
        return findings.Count == 0 ? manifest : throw new PodException("the pod cannot be made", findings);
    }

    /// <summary>As the other one, but tells what is wrong; the manifest is then incomplete.</summary>
    public static PodManifest Reify(PodSpec spec, IStage1 stage1, out IReadOnlyList<PodFinding> findings)
    {
        var reifier = new PodReifier(spec);
        PodManifest manifest = reifier.Build(stage1);
        findings = reifier._faults.Select(f => new PodFinding(PodFailure.BadSpec, f)).ToArray();
        return manifest;
    }

    private PodManifest Build(IStage1 stage1)
    {
        if (_spec.Apps.Count == 0 && !_spec.Mutable)
        {
            _faults.Add("it has no app");
        }

        if (_spec.Mutable && !stage1.Features.MutablePods)
        {
            _faults.Add($"the stage1 flavour {stage1.Name} cannot change the apps of a running pod");
        }

        if (_spec.Apps.Count > 1 && !stage1.Features.SeveralApps)
        {
            _faults.Add($"the stage1 flavour {stage1.Name} runs one app a pod, not {_spec.Apps.Count}");
        }

        if (_spec.Name is { } podName && PodNames.FindFault(podName) is { } fault)
        {
            _faults.Add(fault);
        }

        CheckLabels();
        if (_spec.Lifetime == PodLifetime.Host && stage1.Features is { InheritsLock: true, EndsWithHost: false })
        {
            _faults.Add($"the stage1 flavour {stage1.Name} cannot end a pod with the program that starts it");
        }

        RequireUnique(_spec.Volumes.Select(v => v.Name), "volume");
        RequireUnique(_spec.Ports.Select(p => p.Name), "port");
        foreach (Volume volume in _spec.Volumes)
        {
            RequireSource(volume);
        }

        List<RuntimeApp> apps = [];
        foreach (AppSpec app in _spec.Apps)
        {
            if (BuildApp(app, stage1) is { } runtimeApp)
            {
                apps.Add(runtimeApp);
            }
        }

        RequireUnique(apps.Select(a => a.Name), "app");
        RequirePortsExist(apps);
        RequireFreePorts(apps);
        if (apps.Count(a => Stage1App.InputOf(a) == AppInput.Terminal) > 1)
        {
            _faults.Add("only one app of a pod can have a terminal");
        }

        _faults.AddRange(PodSockets.Check(_spec.Sockets, apps, stage1));
        _faults.AddRange(NameFiles.Check(_spec.Options));
        _faults.AddRange(VolumeAnnotations.Check(_spec.Annotations, _volumes, apps));
        if (_spec.Options.LogLimit < PodLogLimit.Least)
        {
            _faults.Add($"the limit of its logs is less than {PodLogLimit.Least} bytes");
        }

        return new PodManifest
        {
            Apps = apps,
            Volumes = _volumes,
            Ports = [.. _spec.Ports],
            Isolators = [.. _spec.Isolators],
            Annotations = [.. _spec.Annotations],
        };
    }

    private void CheckLabels()
    {
        foreach ((string key, string value) in _spec.Labels)
        {
            if (!AcIdentifier.TryParse(key, out _))
            {
                _faults.Add($"{PodDirectories.Shown(key)} is not a valid key of a label");
            }
            else if (value is null || value.Length > LongestLabel || value.Any(char.IsControl))
            {
                _faults.Add($"the value of the label {key} is not one line of at most {LongestLabel} characters");
            }
        }
    }

    /// <summary>No two ports may be exposed on the same one of the host.</summary>
    private void RequireFreePorts(List<RuntimeApp> apps)
    {
        List<(ExposedPort Port, string Protocol, int Count)> ports = [];
        foreach (ExposedPort port in _spec.Ports)
        {
            if ((port.PodPort ?? apps.SelectMany(a => a.App!.Ports).FirstOrDefault(o => o.Name == port.Name)) is { } inside)
            {
                ports.Add((port, inside.Protocol, (int)Math.Max(1, inside.Count)));
            }
        }

        for (int i = 0; i < ports.Count; i++)
        {
            foreach (var other in ports.Take(i).Where(o => Collide(o, ports[i]) && o.Port.Name != ports[i].Port.Name))
            {
                _faults.Add($"the ports {other.Port.Name} and {ports[i].Port.Name} share the {ports[i].Protocol} port {Math.Max(other.Port.HostPort, ports[i].Port.HostPort)} of the host");
            }
        }

        static bool Collide((ExposedPort Port, string Protocol, int Count) a, (ExposedPort Port, string Protocol, int Count) b) =>
            a.Protocol == b.Protocol
            && (a.Port.HostIp is null || b.Port.HostIp is null || a.Port.HostIp == b.Port.HostIp)
            && a.Port.HostPort < b.Port.HostPort + b.Count && b.Port.HostPort < a.Port.HostPort + a.Count;
    }

    private RuntimeApp? BuildApp(AppSpec spec, IStage1 stage1)
    {
        ImageManifest image = spec.Image.Manifest;
        string nameText = spec.Name ?? DefaultName(image.Name);
        if (!AcName.TryParse(nameText, out AcName? name))
        {
            _faults.Add($"'{nameText}' is not a valid name for an app");
            return null;
        }

        if (nameText.Length > LongestAppName)
        {
            _faults.Add($"the name of the app {nameText[..20]}... is longer than {LongestAppName} characters");
            return null;
        }

        App? own = image.App;
        if (own is null && spec.Exec is null)
        {
            _faults.Add($"the image {image.Name} has no app section, and no program was named for the app {name}");
            return null;
        }

        App app = Override(own ?? new App(), spec);
        if (app.Exec.Count == 0)
        {
            _faults.Add($"the app {name} has no program to execute");
        }

        if (app.WorkingDirectory.Length > 0 && !app.WorkingDirectory.StartsWith('/'))
        {
            _faults.Add($"the working directory of the app {name} is not absolute");
        }

        return new RuntimeApp
        {
            Name = name,
            Image = new RuntimeImage { Id = spec.Image.Id, Name = image.Name, Labels = image.Labels },
            App = app,
            ReadOnlyRootFs = spec.ReadOnlyRootFs,
            Mounts = BuildMounts(name, app, spec),
            Annotations = BuildAnnotations(name, app, spec, stage1),
        };
    }

    /// <summary>The app's annotations, with its readiness decided: the pod's manifest tells alone what runs.</summary>
    private List<Annotation> BuildAnnotations(AcName name, App section, AppSpec spec, IStage1 stage1)
    {
        bool? asked = spec.AnnouncesReadiness ?? Find(spec.Annotations);
        bool announces = asked ?? Find(spec.Image.Manifest.Annotations) ?? false;
        bool lazy = PodSockets.IsLazy(_spec.Sockets, section);
        if (asked == true && (lazy || !stage1.Features.Readiness))
        {
            _faults.Add(lazy
                ? $"the app {name} is started by a connection, and so cannot announce its readiness"
                : $"the stage1 flavour {stage1.Name} does not learn when the app {name} is ready");
        }

        List<Annotation> annotations =
        [
            .. spec.Annotations.Where(a => a.Name.ToString() is not (Stage1App.ReadinessAnnotation or Stage1App.InputAnnotation) && !StopAnnotations.IsOne(a) && !RestartAnnotations.IsOne(a)),
            .. StopAnnotations.Decide(spec, name, _faults),
            .. RestartAnnotations.Decide(spec, name, lazy, stage1, _faults),
        ];
        if (announces && !lazy && stage1.Features.Readiness)
        {
            annotations.Add(new Annotation(Stage1App.ReadinessAnnotation, "true"));
        }

        if (BuildInput(name, spec, stage1) is { } input)
        {
            annotations.Add(new Annotation(Stage1App.InputAnnotation, input));
        }

        return annotations;

        static bool? Find(IEnumerable<Annotation> annotations) =>
            annotations.FirstOrDefault(a => a.Name.ToString() == Stage1App.ReadinessAnnotation) is { } found ? found.Value == "true" : null;
    }

    private string? BuildInput(AcName name, AppSpec spec, IStage1 stage1)
    {
        Annotation? said = spec.Annotations.FirstOrDefault(a => a.Name.ToString() == Stage1App.InputAnnotation);
        if (spec.Input is null && said is not null && Stage1App.InputOf([said]) is null)
        {
            _faults.Add($"the annotation {Stage1App.InputAnnotation} of the app {name} is neither stream, terminal nor none");
        }

        AppInput input = spec.Input ?? Stage1App.InputOf(spec.Annotations) ?? AppInput.None;
        if (input != AppInput.None && stage1 is not IStage1Attach)
        {
            _faults.Add($"the stage1 flavour {stage1.Name} gives the app {name} no standard input");
        }

        return input switch { AppInput.Stream => "stream", AppInput.Terminal => "terminal", _ => null };
    }

    private static App Override(App own, AppSpec spec)
    {
        IReadOnlyList<string> exec = spec.Exec is null ? [.. own.Exec, .. spec.Arguments] : [spec.Exec, .. spec.Arguments];
        return own with
        {
            Exec = exec,
            User = spec.User ?? own.User,
            Group = spec.Group ?? own.Group,
            SupplementaryGids = spec.SupplementaryGids.Count > 0 ? [.. spec.SupplementaryGids] : own.SupplementaryGids,
            WorkingDirectory = spec.WorkingDirectory ?? own.WorkingDirectory,
            Environment =
            [
                .. own.Environment.Where(e => !spec.Environment.ContainsKey(e.Name)),
                .. spec.Environment.Select(e => new EnvironmentVariable(e.Key, e.Value)),
            ],
            Isolators =
            [
                .. own.Isolators.Where(i => !spec.Isolators.Any(o => o.Name == i.Name)),
                .. spec.Isolators,
            ],
        };
    }

    private List<Mount> BuildMounts(AcName app, App section, AppSpec spec)
    {
        List<Mount> mounts = [];
        foreach (Mount mount in spec.Mounts)
        {
            if (mount.AppVolume is { } own)
            {
                RequireSource(own);
            }
            else if (!_volumes.Any(v => v.Name == mount.Volume))
            {
                _faults.Add($"the app {app} mounts the volume {mount.Volume}, which the pod does not have");
            }

            mounts.Add(mount with { Path = PathOf(app, mount.Volume, mount.Path) });
        }

        foreach (MountPoint point in section.MountPoints)
        {
            string path = PathOf(app, point.Name, point.Path);
            if (mounts.All(m => m.Path != path))
            {
                mounts.Add(new Mount(_spec.Volumes.Any(v => v.Name == point.Name) ? point.Name : ImplicitVolume(app, point.Name), path));
            }
        }

        foreach (string path in mounts.GroupBy(m => m.Path).Where(g => g.Count() > 1).Select(g => g.Key))
        {
            _faults.Add(Printable.Text($"the app {app} mounts two volumes at {path}"));
        }

        return mounts;
    }

    /// <summary>The path in the one way that it is written in a reified manifest, so that equal places are equal.</summary>
    private string PathOf(AcName app, AcName volume, string path)
    {
        if (MountPath.Normalize(path) is { } normal)
        {
            return normal;
        }

        string why = path.StartsWith('/') ? $"'{path}', which is no place below its root" : "a path that is not absolute";
        _faults.Add(Printable.Text($"the app {app} mounts the volume {volume} at {why}"));
        return path;
    }

    /// <summary>
    /// A mount point that nothing was given for gets an empty volume of its app's own, so that what the image expects to be
    /// outside its root is. Its name tells whose it is, but is never that of another volume: that would be shared then.
    /// </summary>
    private AcName ImplicitVolume(AcName app, AcName point)
    {
        if (!_implicit.TryGetValue((app, point), out AcName? name))
        {
            name = AcName.Parse($"{app}-{point}");
            for (int i = 2; _volumes.Any(v => v.Name == name); i++)
            {
                name = AcName.Parse(string.Create(CultureInfo.InvariantCulture, $"{app}-{point}-{i}"));
            }

            _implicit[(app, point)] = name;
            _volumes.Add(new Volume { Name = name, Kind = VolumeKind.Empty });
        }

        return name;
    }

    private void RequireSource(Volume volume)
    {
        if (volume.Kind == VolumeKind.Host && volume.Source is not ['/', ..])
        {
            _faults.Add($"the host volume {volume.Name} needs an absolute source");
        }
    }

    private void RequirePortsExist(List<RuntimeApp> apps)
    {
        foreach (ExposedPort port in _spec.Ports.Where(p => !apps.Any(a => a.App!.Ports.Any(o => o.Name == p.Name))))
        {
            _faults.Add($"no app has a port that is called {port.Name}");
        }
    }

    private void RequireUnique(IEnumerable<AcName> names, string kind)
    {
        foreach (AcName name in names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key))
        {
            _faults.Add($"two {kind}s are called {name}");
        }
    }

    /// <summary>The last component of an image's name, made into a valid name of an app.</summary>
    private static string DefaultName(AcIdentifier image)
    {
        string text = image.ToString();
        return AcName.Sanitize(text[(text.LastIndexOf('/') + 1)..]).ToString();
    }
}
