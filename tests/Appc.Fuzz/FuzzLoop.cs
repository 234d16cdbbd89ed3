using System.Diagnostics;
using System.Text;
using Appc.Conformance.Tests.Images;
using Appc.Core.Tests.Images;
using Appc.Core.Tests.Manifests;

namespace Appc.Fuzz;

/// <summary>Mutates inputs and keeps those that take a new branch.</summary>
internal static class FuzzLoop
{
    public static int Run(string folder, TimeSpan time, string[] only)
    {
        Directory.CreateDirectory(folder);
        string[] targets = [.. FuzzTargets.All.Keys.Concat(ArchiveFuzzTargets.All.Keys).Where(target => only.Length == 0 || only.Contains(target))];
        int status = 0;

        // The manifests have far more branches than all the scalars together.
        int shares = targets.Sum(Share);
        foreach (string target in targets)
        {
            string file = Path.Combine(folder, target + ".txt");
            TimeSpan share = time * Share(target) / shares;
            if (ArchiveFuzzTargets.All.TryGetValue(target, out Action<byte[]>? archive))
            {
                // Whatever an archive could reach lies where only this thread sees it.
                Directory.CreateDirectory(ExtractionPlace.Mount);
                PrivateMounts.Run(() =>
                {
                    PrivateMounts.MountTmpfs(ExtractionPlace.Mount, "mode=0700");
                    status |= Fuzz(target, archive, file, share, ArchiveSeeds.All(folder), new ArchiveMutator(new Random(12345)), ArchiveFuzzCorpus.Encode, ArchiveFuzzCorpus.Decode);
                });
                Directory.Delete(ExtractionPlace.Mount);
            }
            else
            {
                status |= Fuzz(target, FuzzTargets.All[target], file, share, Seeds.Of(target), new Mutator(new Random(12345)), Convert.ToBase64String, Convert.FromBase64String);
            }
        }

        return status;
    }

    private static int Share(string target) => target.EndsWith("manifest", StringComparison.Ordinal) ? 10 : ArchiveFuzzTargets.All.ContainsKey(target) ? 30 : 1;

    private static int Fuzz(
        string name, Action<byte[]> target, string file, TimeSpan time, IEnumerable<byte[]> seeds, IMutator mutator, Func<byte[], string> encode, Func<string, byte[]> decode)
    {
        List<byte[]> corpus = [];
        bool[] seen = Instrumentation.NewMap();
        IEnumerable<byte[]> kept = File.Exists(file) ? File.ReadLines(file).Select(decode) : [];
        byte[] input = [];
        try
        {
            foreach (byte[] seed in kept.Concat(seeds))
            {
                input = seed;
                if (Instrumentation.Run(target, seed, seen))
                {
                    corpus.Add(seed);
                }
            }
        }
        catch (Exception exception)
        {
            return Report(name, file, input, exception, encode);
        }

        Stopwatch clock = Stopwatch.StartNew();
        long runs = 0;
        using Watchdog watchdog = new(name, () => encode(input));
        try
        {
            for (; clock.Elapsed < time; runs++)
            {
                watchdog.Progress();
                input = mutator.Mutate(corpus);
                if (Instrumentation.Run(target, input, seen))
                {
                    corpus.Add(input);
                }
            }
        }
        catch (Exception exception)
        {
            return Report(name, file, input, exception, encode);
        }

        List<byte[]> smallest = Minimise(target, corpus);
        File.WriteAllLines(file, smallest.Select(encode));
        Console.WriteLine($"{name}: {runs} runs, {seen.Count(taken => taken)} branches, {smallest.Count} inputs kept");
        return 0;
    }

    private static int Report(string name, string file, byte[] input, Exception exception, Func<byte[], string> encode)
    {
        Console.WriteLine($"{name}: {encode(input)}\n{exception}");
        File.AppendAllLines(file, [encode(input)]);
        return 1;
    }

    /// <summary>Of the inputs, smallest first, those that take a branch that no smaller one takes.</summary>
    private static List<byte[]> Minimise(Action<byte[]> target, List<byte[]> corpus)
    {
        bool[] seen = Instrumentation.NewMap();
        return [.. corpus.OrderBy(input => input.Length).ThenBy(Convert.ToBase64String, StringComparer.Ordinal).Where(input => Instrumentation.Run(target, input, seen))];
    }
}

/// <summary>Inputs to begin with.</summary>
internal static class Seeds
{
    private static readonly string s_id = "sha512-" + new string('a', 128);

    public static IEnumerable<byte[]> Of(string target) => (target switch
    {
        "image-manifest" => new[] { "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\"}", Image },
        "pod-manifest" => ["{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[]}", Pod],
        "ac-name" => ["a-1", "-"],
        "ac-identifier" => ["example.com/~user/app_v1"],
        "image-id" => [s_id, s_id.ToUpperInvariant()],
        "uuid" => ["8e1f3b52-7c4d-4a96-b0e3-5d2c9f1a646f", "8e1f3b527c4d4a96b0e35d2c9f1a646f"],
        "semver" => ["1.0.0-rc.1+build.5", "0.0.0"],
        "timestamp" => ["2015-05-18T13:49:28.351729952-04:00", "2015-05-18T13:49:28Z"],
        "quantity" => ["500m", "1.5Gi", "1e3", "+.5k"],
        "app-reference" => ["example.com/app:1.0,os=linux"],
        "volume" => ["data,kind=host,source=/x,readOnly=true,recursive=false", "data,kind=empty,mode=0755,uid=1,gid=2"],
        "mount" => ["volume=data,target=/x"],
        "mount-point" => ["data,path=/x,readOnly=true"],
        "port" => ["http,protocol=tcp,port=80,count=2,socketActivated=true"],
        "sanitize" => ["Foo Bar/../x", "é"],
        "isolator" =>
        [
            "resource/cpu\n{\"limit\":\"1\",\"request\":2}", "resource/block-iops\n{\"default\":true,\"limit\":\"1k\"}", "os/linux/seccomp-retain-set\n{\"set\":[\"read\"],\"errno\":\"EPERM\"}",
            "os/linux/capabilities-remove-set\n{\"set\":[\"CAP_KILL\"]}", "os/linux/no-new-privileges\ntrue", "os/linux/cpu-shares\n2", "os/linux/oom-score-adj\n-1",
            "os/linux/selinux-context\n{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0\"}", "os/linux/apparmor-profile\n{\"profile\":\"p\"}", "os/unix/sysctl\n{\"a\":\"1\"}", "vendor/x\n[]",
        ],
        _ => [""],
    }).Select(Encoding.UTF8.GetBytes);

    private static string Image =>
        "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/a\",\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}],\"app\":"
        + App + ",\"dependencies\":[{\"imageName\":\"b\",\"imageID\":\"" + s_id + "\",\"labels\":[],\"size\":5}],\"pathWhitelist\":[\"/a\"],\"annotations\":[{\"name\":\"created\",\"value\":\"2014-10-27T19:32:27Z\"},{\"name\":\"homepage\",\"value\":\"https://u@[::1]:80/%41?x#y\"}]}";

    private static string App =>
        "{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\",\"supplementaryGIDs\":[1],\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/b\"]}],\"workingDirectory\":\"/\",\"environment\":[{\"name\":\"A\",\"value\":\"\"}],"
        + "\"mountPoints\":[{\"name\":\"m\",\"path\":\"/m\",\"readOnly\":true}],\"ports\":[{\"name\":\"p\",\"protocol\":\"tcp\",\"port\":80,\"count\":2,\"socketActivated\":true}],"
        + "\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1G\"}},{\"name\":\"vendor/x\",\"value\":null}],\"userAnnotations\":{\"a\":\"b\"},\"userLabels\":{},\"x\":[1.5e3,\"\\ud83d\\ude00\\n\"]}";

    private static string Pod =>
        "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"a\",\"image\":{\"id\":\"" + s_id + "\",\"name\":\"b\",\"labels\":[]},\"app\":" + App
        + ",\"readOnlyRootFS\":true,\"mounts\":[{\"volume\":\"v\",\"path\":\"/m\",\"appVolume\":{\"name\":\"w\",\"kind\":\"host\",\"source\":\"/s\",\"readOnly\":true,\"recursive\":true}}],\"annotations\":[]}],"
        + "\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\",\"mode\":\"0700\",\"uid\":1,\"gid\":2}],\"isolators\":[],\"annotations\":[],"
        + "\"ports\":[{\"name\":\"p\",\"hostPort\":80,\"hostIP\":\"1.2.3.4\",\"podPort\":{\"name\":\"q\",\"protocol\":\"udp\",\"port\":1}}],\"userAnnotations\":{},\"userLabels\":{\"a\":\"\"}}";
}
