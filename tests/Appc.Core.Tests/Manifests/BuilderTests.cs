using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class BuilderTests
{
    private static readonly string s_id = "sha512-" + new string('a', 128);

    [Fact]
    public void An_image_manifest_is_built()
    {
        ImageManifest manifest = new ImageManifestBuilder("example.com/web")
            .SetVersion("0.9")
            .SetVersion("1.0")
            .SetOsArch("linux", "amd64")
            .SetAnnotation("authors", "nobody")
            .SetAnnotation("authors", "somebody")
            .AddDependency("example.com/base:2,os=linux", s_id, 77)
            .AddPaths("/bin/web")
            .SetApp(new AppBuilder()
                .SetExec("/bin/web", "--port=80")
                .SetUser("web", "/bin/web")
                .SetSupplementaryGids(5, 6)
                .SetWorkingDirectory("/srv")
                .SetEnvironment("A", "1")
                .SetEnvironment("A", "2")
                .AddEventHandler("pre-start", "/bin/prepare")
                .AddMountPoint("data", "/srv/data", readOnly: true)
                .AddPort("http", 80, socketActivated: true)
                .AddPort("rtp", 5000, "udp", 10)
                .LimitCpu("500m")
                .LimitMemory("512Mi")
                .AddIsolator(new NoNewPrivilegesIsolator(true)))
            .Build();

        Assert.Equal(manifest, ImageManifest.Parse($$$"""
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/web",
             "labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],
             "app":{"exec":["/bin/web","--port=80"],"user":"web","group":"/bin/web","supplementaryGIDs":[5,6],"workingDirectory":"/srv",
               "environment":[{"name":"A","value":"2"}],"eventHandlers":[{"name":"pre-start","exec":["/bin/prepare"]}],
               "mountPoints":[{"name":"data","path":"/srv/data","readOnly":true}],
               "ports":[{"name":"http","protocol":"tcp","port":80,"socketActivated":true},{"name":"rtp","protocol":"udp","port":5000,"count":10}],
               "isolators":[{"name":"resource/cpu","value":{"limit":"500m"}},{"name":"resource/memory","value":{"limit":"512Mi"}},{"name":"os/linux/no-new-privileges","value":true}]},
             "dependencies":[{"imageName":"example.com/base","imageID":"{{{s_id}}}","labels":[{"name":"version","value":"2"},{"name":"os","value":"linux"}],"size":77}],
             "pathWhitelist":["/bin/web"],
             "annotations":[{"name":"authors","value":"somebody"}]}
            """));
    }

    [Fact]
    public void A_pod_manifest_is_built()
    {
        PodManifest manifest = new PodManifestBuilder()
            .AddApp("web", s_id, null, "volume=data,target=/srv/data")
            .AddApp(new RuntimeApp { Name = AcName.Parse("db"), Image = new RuntimeImage { Id = ImageId.Parse(s_id) }, ReadOnlyRootFs = true })
            .AddVolume("data,kind=host,source=/srv,readOnly=true")
            .AddIsolator(new MemoryIsolator(Quantity.Parse("1G")))
            .SetAnnotation("ip-address", "10.1.2.2")
            .SetAnnotation("ip-address", "10.1.2.3")
            .AddPort("http", 8080, "127.0.0.1")
            .Build();

        Assert.Equal(manifest, PodManifest.Parse($$"""
            {"acVersion":"0.8.11","acKind":"PodManifest",
             "apps":[{"name":"web","image":{"id":"{{s_id}}"},"mounts":[{"volume":"data","path":"/srv/data"}]},
                     {"name":"db","image":{"id":"{{s_id}}"},"readOnlyRootFS":true}],
             "volumes":[{"name":"data","kind":"host","source":"/srv","readOnly":true}],
             "isolators":[{"name":"resource/memory","value":{"limit":"1G"} }],
             "annotations":[{"name":"ip-address","value":"10.1.2.3"}],
             "ports":[{"name":"http","hostPort":8080,"hostIP":"127.0.0.1"}]}
            """));
    }

    [Fact]
    public void What_is_built_is_valid_or_refused()
    {
        ManifestException exception = Assert.Throws<ManifestException>(() => new ImageManifestBuilder("a").SetLabel("name", "x").SetApp(new App { User = "" }).Build());
        Assert.Equal(["reserved-label-name", "required"], exception.Findings.Select(finding => finding.Rule));
        Assert.Throws<ManifestException>(() => new PodManifestBuilder().AddApp("a", s_id).AddApp("a", s_id).Build());
        Assert.Throws<ManifestException>(() => new ImageManifestBuilder("A"));
    }
}
