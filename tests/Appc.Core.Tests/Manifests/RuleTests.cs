using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

/// <summary>Manifests made in code are held to the same rules as those that are read.</summary>
public sealed class RuleTests
{
    private static readonly AcIdentifier s_name = AcIdentifier.Parse("example.com/app");
    private static readonly ImageId s_id = ImageId.OfBytes([]);

    [Fact]
    public void Nothing_is_required_of_a_record_until_it_is_written()
    {
        ImageManifest manifest = new();
        Assert.Equal(["$.name required"], Rules(manifest.Validate()));
        ManifestException exception = Assert.Throws<ManifestException>(manifest.ToJsonBytes);
        Assert.Equal("invalid image manifest: $.name: the member 'name' is required [aci.md: Image Manifest Schema]", exception.Message);
        Assert.Equal((0, 0), (exception.Findings[0].Line, exception.Findings[0].Column));
    }

    [Fact]
    public void Everything_that_is_missing_in_an_image_is_found()
    {
        ImageManifest manifest = new()
        {
            AcVersion = null!,
            Labels = [new Label((AcIdentifier)null!, null!), null!],
            Annotations = [new Annotation((AcIdentifier)null!, null!)],
            Dependencies = [new Dependency { Size = -1 }],
            PathWhitelist = ["rel", null!],
            App = new App
            {
                User = null!,
                Group = "",
                Exec = [null!],
                SupplementaryGids = [0, -1],
                WorkingDirectory = "tmp",
                EventHandlers = [new EventHandlerSpec(null!, null!), new EventHandlerSpec("at-noon", ["x"])],
                Environment = [new EnvironmentVariable(null!, null!), new EnvironmentVariable("1A", "")],
                MountPoints = [new MountPoint(null!, null!)],
                Ports = [new Port { Protocol = null!, Count = 0, Number = 1 }, new Port { Name = AcName.Parse("a"), Number = 0 }],
                UserLabels = [new(null!, "x"), new("a", "1"), new("a", "2"), new("b", null!)],
                Isolators = [null!, new Isolator(AcIdentifier.Parse(IsolatorNames.CpuShares), "1")],
            },
        };
        Assert.Equal(
            [
                "$.acVersion required",
                "$.name required",
                "$.labels[0].name required",
                "$.labels[0].value required",
                "$.labels[1] wrong-type",
                "$.app.user required",
                "$.app.group required",
                "$.app.supplementaryGIDs[1] out-of-range",
                "$.app.workingDirectory relative-working-directory",
                "$.app.exec[0] wrong-type",
                "$.app.eventHandlers[0].name required",
                "$.app.eventHandlers[1].name bad-event-handler",
                "$.app.environment[0].value required",
                "$.app.environment[0].name required",
                "$.app.environment[1].name bad-environment-name",
                "$.app.mountPoints[0].name required",
                "$.app.mountPoints[0].path required",
                "$.app.ports[0].name required",
                "$.app.ports[0].protocol required",
                "$.app.ports[0].count out-of-range",
                "$.app.ports[1].port out-of-range",
                "$.app.isolators[0] wrong-type",
                "$.app.isolators[1].value out-of-range",
                "$.app.userLabels required",
                "$.app.userLabels.a duplicate-member",
                "$.app.userLabels.b wrong-type",
                "$.dependencies[0].imageName required",
                "$.dependencies[0].size out-of-range",
                "$.pathWhitelist[0] relative-path",
                "$.pathWhitelist[1] wrong-type",
                "$.annotations[0].name required",
                "$.annotations[0].value required",
            ],
            Rules(manifest.Validate()));
    }

    [Fact]
    public void Everything_that_is_wrong_in_a_pod_is_found()
    {
        Port port = new() { Name = AcName.Parse("web"), Number = 80 };
        RuntimeApp app = new() { Name = AcName.Parse("a"), Image = new RuntimeImage { Id = s_id }, App = new App { Ports = [port] } };
        PodManifest manifest = new()
        {
            Apps = [app, app, app with { Name = null!, Image = null!, App = null, Mounts = [new Mount(null!, "")] }, app with { Name = AcName.Parse("b"), Image = new RuntimeImage() }],
            Volumes = [new Volume { Kind = (VolumeKind)7 }, new Volume { Name = AcName.Parse("v"), Mode = "99", Uid = -1, Gid = -1 }, new Volume { Name = AcName.Parse("v") }],
            Ports = [new ExposedPort { HostPort = 70000, HostIp = "1.2.3.400" }, new ExposedPort { Name = AcName.Parse("x"), HostPort = 1, HostIp = "1.2.3", PodPort = new Port() }],
            UserAnnotations = [new("a", null!)],
        };
        Assert.Equal(
            [
                "$.apps[2].name required",
                "$.apps[2].image required",
                "$.apps[2].mounts[0].volume required",
                "$.apps[2].mounts[0].path required",
                "$.apps[3].image.id required",
                "$.apps[1].name duplicate-app",
                "$.apps[1].app.ports[0].name duplicate-port",
                "$.apps[3].app.ports[0].name duplicate-port",
                "$.volumes[0].name required",
                "$.volumes[0].kind bad-volume",
                "$.volumes[1].mode bad-volume",
                "$.volumes[1].uid out-of-range",
                "$.volumes[1].gid out-of-range",
                "$.volumes[2].name duplicate-volume",
                "$.ports[0].name required",
                "$.ports[0].hostPort out-of-range",
                "$.ports[0].hostIP bad-ip",
                "$.ports[1].hostIP bad-ip",
                "$.ports[1].podPort.name required",
                "$.ports[1].podPort.port out-of-range",
                "$.userAnnotations.a wrong-type",
            ],
            Rules(manifest.Validate()));
    }

    [Fact]
    public void A_pod_can_say_which_of_two_ports_of_one_name_is_meant()
    {
        Port port = new() { Name = AcName.Parse("web"), Number = 80 };
        RuntimeApp app = new() { Name = AcName.Parse("a"), Image = new RuntimeImage { Id = s_id }, App = new App { Ports = [port] } };
        PodManifest manifest = new() { Apps = [app, app with { Name = AcName.Parse("b") }], Ports = [new ExposedPort { Name = port.Name, HostPort = 80 }] };
        Assert.Equal(["$.apps[1].app.ports[0].name duplicate-port"], Rules(manifest.Validate()));
        Assert.Empty((manifest with { Ports = [new ExposedPort { Name = port.Name, HostPort = 80, PodPort = port }] }).Validate());
    }

    [Fact]
    public void Nothing_says_nothing()
    {
        App app = new() { Exec = null!, Environment = null!, WorkingDirectory = null! };
        Assert.Equal(new App(), app);
        Assert.Equal(new Dependency { ImageName = s_name }, new Dependency { ImageName = s_name, Size = 0 });
        Assert.Null(new Volume { Source = "" }.Source);
        Assert.Null(new ExposedPort { HostIp = "" }.HostIp);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_written_as_the_replacement_character()
    {
        ImageManifest manifest = new() { Name = s_name, App = new App { Exec = ["a\ud800b"] }, Annotations = [new Annotation("a", "\udc00")] };
        ImageManifest read = ImageManifest.Parse(manifest.ToJsonBytes());
        Assert.Equal(("a\uFFFDb", "\uFFFD"), (read.App!.Exec[0], read.GetAnnotation("a")));
    }

    [Fact]
    public void Lists_cannot_be_changed_from_outside()
    {
        List<string> exec = ["/bin/a"];
        App app = new() { Exec = exec };
        exec.Add("b");
        Assert.Equal(["/bin/a"], app.Exec);
        Assert.Equal("[/bin/a]", app.Exec.ToString());
        Assert.Equal(app, app with { Exec = ["/bin/a"] });
        Assert.NotEqual(app, app with { Exec = ["/bin/b"] });
        Assert.False(app.Exec.Equals(null));
    }

    [Fact]
    public void Labels_and_annotations_are_found_by_name()
    {
        ImageManifest manifest = new() { Name = s_name, Labels = [new Label("version", "1")], Annotations = [new Annotation("authors", "me")] };
        Assert.Equal(("1", "me"), (manifest.GetLabel("version"), manifest.GetAnnotation("authors")));
        Assert.Null(manifest.GetLabel("os"));
        Assert.Null(manifest.GetAnnotation("os"));
    }

    private static IEnumerable<string> Rules(IReadOnlyList<ManifestFinding> findings) => findings.Select(finding => $"{finding.Path} {finding.Rule}");
}
