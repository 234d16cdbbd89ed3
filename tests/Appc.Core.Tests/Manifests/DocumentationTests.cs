using System.Text.RegularExpressions;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

/// <summary>The examples of docs/manifests.md: they are compiled and run here, and the test sees to it that both are the same.</summary>
public sealed class DocumentationTests
{
    [Fact]
    public void Examples_run()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, """
                {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a","labels":[{"name":"version","value":"1"}],
                 "app":{"exec":["/bin/a"],"user":"0","group":"0","isolators":[{"name":"resource/memory","value":{"limit":"1G"}},{"name":"vendor.example/x","value":null}]}}
                """);
            Examples(path, [], "sha512-" + new string('a', 128));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Examples_are_those_of_the_documentation()
    {
        string code = Flat(File.ReadAllText(SourceTree.Path("tests/Appc.Core.Tests/Manifests/DocumentationTests.cs")));
        MatchCollection blocks = Regex.Matches(File.ReadAllText(SourceTree.Path("docs/manifests.md")), "```csharp\n(.*?)```", RegexOptions.Singleline);
        Assert.Equal(9, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(Flat(block.Groups[1].Value), code, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_rule_is_in_the_table_and_every_rule_of_the_table_exists()
    {
        string table = File.ReadAllText(SourceTree.Path("docs/manifests.md"));
        table = table[table.IndexOf("## Rules", StringComparison.Ordinal)..];
        HashSet<string> documented = [.. Regex.Matches(table, "^\\| (`.*?`) \\|", RegexOptions.Multiline).SelectMany(row => Regex.Matches(row.Groups[1].Value, "`([a-z-]+)`").Select(rule => rule.Groups[1].Value))];
        string sources = string.Concat(Directory.EnumerateFiles(SourceTree.Path("src/Appc.Core/Manifests/Json"), "*.cs").Select(File.ReadAllText));
        Assert.All(documented, rule => Assert.Contains($"\"{rule}\"", sources, StringComparison.Ordinal));
        HashSet<string> used = [.. Regex.Matches(sources, "\"((bad|duplicate|relative|conflicting|wrong|out-of|empty|reserved)-[a-z-]+)\"").Select(rule => rule.Groups[1].Value)];
        Assert.Empty(used.Except(documented));
    }

    private static void Examples(string path, byte[] archive, string imageId)
    {
        byte[] document = File.ReadAllBytes(path);
        ImageManifest image = ImageManifest.Parse(document);
        string name = image.Name.ToString();
        string? version = image.GetLabel("version");
        IReadOnlyList<string> exec = image.App?.Exec ?? [];
        Assert.Equal(("example.com/a", "1", "/bin/a"), (name, version, Assert.Single(exec)));

        ManifestReport report = Manifest.Validate(document);
        foreach (ManifestFinding finding in report.Findings)
        {
            Console.WriteLine($"{finding.Path} {finding.Line}:{finding.Column} {finding.Rule}: {finding.Message}");
        }

        if (report.IsValid)
        {
            Console.WriteLine($"valid {report.KindName}");
            Console.WriteLine(report.ToJson(indented: true));
        }

        bool newer = SemVer.Parse("1.0.0").CompareTo(SemVer.Parse("1.0.0-rc.1")) > 0;
        Quantity half = Quantity.Parse("500m");
        decimal cores = half.Amount;        // 0.5, exactly
        long whole = half.Value;            // 1: rounded up
        long? thousandths = half.MilliValue; // 500
        ImageId id = ImageId.OfBytes(archive);
        bool meant = id.StartsWith("sha512-cf83");
        OsArch? here = OsArch.Current;
        Assert.Equal((true, 0.5m, 1L, 500L, true), (newer, cores, whole, thousandths, meant));
        Assert.True(here is null || OsArch.IsKnownOs(here.Os));

        ImageManifest changed = image with
        {
            Labels = [.. image.Labels, new Label("channel", "beta")],
            App = image.App! with { User = "1000", Group = "1000" },
        };
        Assert.Equal("beta", ImageManifest.Parse(changed.ToJson()).GetLabel("channel"));

        foreach (Isolator isolator in image.App!.Isolators)
        {
            string text = isolator switch
            {
                MemoryIsolator memory => $"at most {memory.Limit} bytes",
                SeccompRetainSetIsolator seccomp => $"only {string.Join(", ", seccomp.SystemCalls)}, else {seccomp.Errno ?? "SIGSYS"}",
                CapabilitySetIsolator capabilities => string.Join(", ", capabilities.Set),
                _ => $"{isolator.Name}: {isolator.ValueJson}",
            };
            Console.WriteLine(text);
        }

        App app = new()
        {
            Exec = ["/bin/server"],
            Isolators =
            [
                new CpuIsolator(limit: Quantity.Parse("1500m"), request: Quantity.OfMilli(500)),
                new MemoryIsolator(Quantity.OfBytes(512 << 20)),
                new SeccompRemoveSetIsolator(["reboot", "clock_settime"], errno: "ENOTSUP"),
                new CapabilitiesRetainSetIsolator("CAP_NET_BIND_SERVICE"),
                new NoNewPrivilegesIsolator(true),
                Isolator.Create("vendor.example/gpu", """{"count":1}"""),
            ],
        };
        Assert.Empty((image with { App = app }).Validate());

        ImageManifest built = new ImageManifestBuilder("example.com/server")
            .SetVersion("1.0.0")
            .SetOsArch("linux", "amd64")
            .SetApp(new AppBuilder()
                .SetExec("/bin/server", "--port=80")
                .SetUser("1000", "1000")
                .SetEnvironment("MODE", "fast")
                .AddMountPoint("data", "/var/lib/server")
                .AddPort("http", 80)
                .LimitMemory("512Mi"))
            .AddDependency("example.com/base:2.1,os=linux,arch=amd64")
            .SetAnnotation("homepage", "https://example.com/server")
            .Build();

        PodManifest pod = new PodManifestBuilder()
            .AddApp("server", imageId, null, "volume=data,target=/var/lib/server")
            .AddVolume("data,kind=host,source=/srv/data,readOnly=true")
            .AddPort("http", 8080, "127.0.0.1")
            .Build();
        Assert.Equal(pod, PodManifest.Parse(pod.ToJsonBytes()));

        byte[] canonical = built.ToJsonBytes();
        string forPeople = built.ToJson(indented: true);
        Assert.Equal(ImageManifest.Parse(canonical), ImageManifest.Parse(forPeople));

        Volume volume = Volume.Parse("data,kind=host,source=/srv/data,readOnly=true");
        AppReference reference = AppReference.Parse("example.com/server:1.0.0,channel=beta");
        Assert.Equal(("/srv/data", "1.0.0"), (volume.Source, reference.Version));
    }

    private static string Flat(string code) => Regex.Replace(code, "\\s+", " ").Trim();
}
