using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Fly;

/// <summary>A prepared pod of one app over a tiny root file system, in a directory of its own.</summary>
internal sealed class FlyPod : IDisposable
{
    /// <summary>Part of a script that goes on when <see cref="GoOnAsync"/> says so.</summary>
    public const string Waits = "while [ ! -e /stop ]; do sleep 0.01; done";

    private readonly LockFile _lock;

    public FlyPod(params string[] exec)
    {
        Base = System.IO.Directory.CreateTempSubdirectory("appc-fly-").FullName;
        Layer = System.IO.Directory.CreateDirectory(Path.Combine(Base, "layer")).FullName;
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(Base, "pod")).FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "logs"));
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "status"));
        System.IO.Directory.CreateDirectory(Path.Combine(Layer, "bin"));
        System.IO.Directory.CreateDirectory(Path.Combine(Layer, "etc"));
        File.Copy("/usr/bin/busybox", Path.Combine(Layer, "bin/busybox"));
        foreach (string applet in (string[])["sh", "cat", "true", "id", "ls", "sleep", "grep", "mkdir", "touch", "readlink", "stat", "env", "pwd", "hostname", "mknod", "mount", "dd", "unshare", "setsid"])
        {
            File.CreateSymbolicLink(Path.Combine(Layer, "bin", applet), "busybox");
        }

        File.WriteAllText(Path.Combine(Layer, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1234:2345:Web:/home/web:/bin/ash\n");
        File.WriteAllText(Path.Combine(Layer, "etc/group"), "root:x:0:\nstaff:x:3456:\n");
        Layers = [Layer];
        _lock = LockFile.TryExclusive(Path.Combine(Base, "lock"), create: true)!;
        App = new App { Exec = exec };
    }

    public string Base { get; }

    public string Layer { get; }

    public string Directory { get; }

    public IReadOnlyList<string> Layers { get; set; }

    public App App { get; set; }

    public RuntimeApp Runtime { get; set; } = new();

    public IReadOnlyList<Volume> Volumes { get; set; } = [];

    public IReadOnlyList<Isolator> Isolators { get; set; } = [];

    public IReadOnlyList<Annotation> Annotations { get; set; } = [];

    public Stage1Options Options { get; set; } = new();

    /// <summary>Whether somebody holds the lock for longer than children that other tests launch have copies of it.</summary>
    public bool IsLocked
    {
        get
        {
            for (int look = 0; look < 100; look++)
            {
                if (!LockFile.IsHeld(Path.Combine(Base, "lock")))
                {
                    return false;
                }

                Thread.Sleep(5);
            }

            return true;
        }
    }

    public string Output => File.ReadAllText(Path.Combine(Directory, "logs/main.out"));

    public string Error => File.ReadAllText(Path.Combine(Directory, "logs/main.err"));

    public string Status => File.ReadAllText(Path.Combine(Directory, "status/main")).TrimEnd();

    public void Shell(string script) => App = App with { Exec = ["/bin/sh", "-c", script] };

    public void Isolate(string name, string json) =>
        App = App with { Isolators = [.. App.Isolators, new Isolator(AcIdentifier.Parse(name), json)] };

    public Stage1Pod Describe()
    {
        AcName name = AcName.Parse("main");
        RuntimeApp runtime = Runtime with { Name = name, App = App };
        return new Stage1Pod
        {
            Uuid = "6733c088-a507-4694-aabf-ea4bd70d1b14",
            Directory = Directory,
            Root = Base,
            Manifest = new PodManifest { Apps = [runtime], Volumes = Volumes, Isolators = Isolators, Annotations = Annotations },
            Apps = [new Stage1App { Name = name, App = App, Runtime = runtime, Layers = Layers }],
            Options = Options,
            LockDescriptor = _lock.Descriptor,
        };
    }

    /// <summary>Has a script go on that waits.</summary>
    public static Task GoOnAsync(Stage1Process process) => File.WriteAllTextAsync($"/proc/{process.Id.Pid}/root/stop", "");

    /// <summary>Gives the lock away: after a start only the app holds it.</summary>
    public void ReleaseLock() => _lock.Dispose();

    /// <summary>Makes it a pod that has never been started, but for its logs.</summary>
    public void Renew()
    {
        if (System.IO.Directory.Exists(Path.Combine(Directory, "stage1")))
        {
            System.IO.Directory.Delete(Path.Combine(Directory, "stage1"), recursive: true);
        }
    }

    public async Task<string> RunAsync(FlyStage1 stage1)
    {
        Renew();
        Stage1Process process = await stage1.StartAsync(Describe());
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(60));
        return Output;
    }

    public void Dispose()
    {
        _lock.Dispose();
        System.IO.Directory.Delete(Base, recursive: true);
    }
}
