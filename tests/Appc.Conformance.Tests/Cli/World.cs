using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Appc.Conformance.Tests.Cli;

/// <summary>A data directory, a keystore and scratch space of one test, gone with it.</summary>
public sealed class World : IAsyncDisposable
{
    private readonly Materials _materials;

    public World(Materials materials, [CallerMemberName] string test = "")
    {
        _materials = materials;
        Home = Directory.CreateTempSubdirectory("appc-" + (test.Length > 30 ? test[..30] : test) + "-").FullName;
#pragma warning disable CA1416 // These tests are for Linux.
        File.SetUnixFileMode(Home, (UnixFileMode)Convert.ToInt32("755", 8));
#pragma warning restore CA1416
    }

    public string Home { get; }

    public string Root => Path.Combine(Home, "data");

    public string File_(string name) => Path.Combine(Home, name);

    public string[] Globals => ["--root", Root, "--config", Path.Combine(Home, "etc"), "--system-config", Path.Combine(Home, "usr")];

    public Task<Outcome> AppcAsync(params string[] arguments) => Programs.RunAsync(Materials.Appc, [.. Globals, .. arguments], null);

    public async Task<string> MustAsync(params string[] arguments)
    {
        Outcome outcome = await AppcAsync(arguments);
        Assert.True(outcome.ExitCode == 0, $"appc {string.Join(' ', arguments)}: {outcome}");
        return outcome.Output.TrimEnd('\n');
    }

    public async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        using JsonDocument document = JsonDocument.Parse(await MustAsync(["--format", "json", .. arguments]));
        return document.RootElement.Clone();
    }

    public Process Start(params string[] arguments) => Programs.Start(Materials.Appc, [.. Globals, .. arguments]);

    /// <summary>Runs a command that must fail as every failure must: 254, one line, perhaps a second one on what to do.</summary>
    public async Task<string> RefusedAsync(params string[] arguments)
    {
        Outcome outcome = await AppcAsync(arguments);
        AssertRefused(outcome);
        return outcome.Error;
    }

    public static void AssertRefused(Outcome outcome)
    {
        Assert.True(outcome.ExitCode == 254, outcome.ToString());
        Assert.Equal(string.Empty, outcome.Output);
        Assert.InRange(outcome.ErrorLines.Length, 1, 2);
        Assert.StartsWith("appc: ", outcome.ErrorLines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(outcome.Error, c => char.IsControl(c) && c != '\n');
    }

    /// <summary>Builds an image of the shared root file system; signs it unless told not to.</summary>
    public async Task<string> BuildAsync(
        string name = "example.com/hello", string version = "1.0.0", string? rootfs = null, string? key = "publisher", string exec = """["/bin/true"]""", string extra = "", string? file = null, string port = "")
    {
        string manifest = File_("manifest.json");
        await File.WriteAllTextAsync(manifest, $$"""
            {
              "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "{{name}}",
              "labels": [{"name":"version","value":"{{version}}"},{"name":"os","value":"linux"},{"name":"arch","value":"{{Architecture}}"}],
              {{extra}}
              "app": { "exec": {{exec}}, "user": "0", "group": "0"{{(port.Length == 0 ? "" : $", \"ports\": [{port}]")}} }
            }
            """);
        string path = File_(file ?? $"{name[(name.LastIndexOf('/') + 1)..]}-{version}.aci");
        await MustAsync("build", "--manifest", manifest, "--rootfs", rootfs ?? _materials.Rootfs, "--overwrite", path);
        if (key is not null)
        {
            await MustAsync("sign", "--key", key == "publisher" ? _materials.SecretKey : key, path);
        }

        return path;
    }

    public static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        _ => "amd64",
    };

    public Task TrustAsync(string? key = null, string prefix = "example.com") =>
        MustAsync("trust", "add", "--prefix", prefix, "--yes", key ?? _materials.PublicKey);

    /// <summary>Builds, trusts and fetches; returns the id.</summary>
    public async Task<string> StoreAsync(string name = "example.com/hello", string exec = """["/bin/true"]""")
    {
        string image = await BuildAsync(name, exec: exec);
        await TrustAsync();
        return await MustAsync("fetch", image);
    }

    /// <summary>Asserts that no image, no pod and nothing half done is there.</summary>
    public async Task AssertEmptyAsync()
    {
        Assert.Equal(0, (await JsonAsync("image", "list")).GetArrayLength());
        Assert.Equal(0, (await JsonAsync("list")).GetArrayLength());
        Assert.Empty(Leftovers());
    }

    public async Task AssertEmptyOfImagesAsync() => Assert.Equal(0, (await JsonAsync("image", "list")).GetArrayLength());

    /// <summary>Names in the places where images, pods and work in progress lie.</summary>
    public IReadOnlyList<string> Leftovers()
    {
        string[] places = ["images", "tmp", "pods/embryo", "pods/prepare", "pods/prepared", "pods/run", "pods/exited-garbage", "pods/garbage", "pods/locks"];
        return
        [
            .. from place in places
               let directory = Path.Combine(Root, place)
               where Directory.Exists(directory)
               from entry in Directory.EnumerateFileSystemEntries(directory)
               where !Path.GetFileName(entry).StartsWith('.')
               select entry,
        ];
    }

    /// <summary>Processes, mounts and cgroups that have to do with this data directory.</summary>
    public IReadOnlyList<string> Traces(params string[] alsoNamed)
    {
        string[] marks = [Home, .. alsoNamed];
        IEnumerable<string> processes =
            from directory in Directory.EnumerateDirectories("/proc")
            where int.TryParse(Path.GetFileName(directory), out int pid) && pid != Environment.ProcessId
            let line = ReadAll(Path.Combine(directory, "cmdline")).Replace('\0', ' ')
            where marks.Any(m => line.Contains(m, StringComparison.Ordinal))
            select line;
        IEnumerable<string> mounts =
            from line in ReadAll("/proc/self/mountinfo").Split('\n')
            where marks.Any(m => line.Contains(m, StringComparison.Ordinal))
            select line;
        IEnumerable<string> groups =
            from uuid in alsoNamed
            from directory in Directory.EnumerateDirectories("/sys/fs/cgroup", $"*{uuid}*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            select directory;
        return [.. processes, .. mounts, .. groups];

        static string ReadAll(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return string.Empty;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Outcome list = await AppcAsync("--format", "json", "list");
        if (list.ExitCode == 0)
        {
            using JsonDocument document = JsonDocument.Parse(list.Output);
            foreach (JsonElement pod in document.RootElement.EnumerateArray())
            {
                await AppcAsync("stop", "--force", pod.GetProperty("uuid").GetString()!);
            }
        }

        await AppcAsync("gc", "--grace-period", "0", "--expire-prepared", "0");
        Directory.Delete(Home, recursive: true);
    }
}
