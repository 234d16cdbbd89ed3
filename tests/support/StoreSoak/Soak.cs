using System.Diagnostics;
using System.Globalization;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.StoreSoak;

/// <summary>
/// Starts the processes, holds some images all the while, and looks afterwards: nothing lost, all whole, nothing left over.
/// </summary>
internal static class Soak
{
    public static async Task<int> RunAsync(int seconds, int processes, string directory)
    {
        string scratch = Directory.CreateDirectory(Path.Combine(directory, "appc-soak-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            return await RunAsync(seconds, processes, Path.Combine(scratch, "root"), Directory.CreateDirectory(Path.Combine(scratch, "images")).FullName);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<int> RunAsync(int seconds, int processes, string root, string archives)
    {
        ImageId[] ids = await SoakImages.BuildAsync(archives);
        await File.WriteAllLinesAsync(Path.Combine(archives, "ids"), ids.Select(i => i.ToString()));
        ImageStore store = new(root);
        await ImportAllAsync(store, archives);
        List<IDisposable> holds = [];
        foreach (int number in SoakImages.Pinned)
        {
            holds.Add(await store.HoldAsync(ids[number]));
        }

        bool good = await WorkAsync(seconds, processes, root, archives);
        good &= Check((await store.VerifyAllAsync(new ImageVerifyOptions { Trust = TrustPolicy.Insecure })) is { IsGood: true, Images.Count: > 0 }, "verify after the run");
        foreach (int number in SoakImages.Pinned)
        {
            good &= Check((await store.GetLayersAsync(ids[number])).All(Directory.Exists), $"layers of pinned image {number}");
        }

        await ImportAllAsync(store, archives);
        good &= Check((await store.ListAsync()).Count == SoakImages.Count, "all images are there after they were imported again");
        good &= Check((await store.VerifyAllAsync(new ImageVerifyOptions { Trust = TrustPolicy.Insecure })).IsGood, "verify of all images");
        holds.ForEach(h => h.Dispose());
        ImageCollectReport report = await store.CollectAsync(new ImageCollectOptions { GracePeriod = TimeSpan.Zero });
        good &= Check(report.Removed.Count == SoakImages.Count && report.Kept.Count == 0, "collect takes everything at the end");
        good &= Check(!Directory.EnumerateFileSystemEntries(Path.Combine(root, "tmp")).Any(), "nothing is left in tmp");
        good &= Check(!Directory.EnumerateFileSystemEntries(Path.Combine(root, "images")).Any(), "nothing is left in images");
        Console.WriteLine(good ? "good" : "not good");
        return good ? 0 : 1;
    }

    private static async Task<bool> WorkAsync(int seconds, int processes, string root, string archives)
    {
        List<Process> workers = [];
        for (int seed = 0; seed < processes; seed++)
        {
            string[] arguments = ["worker", root, archives, seconds.ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture)];
            workers.Add(Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!);
        }

        bool good = true;
        SortedDictionary<string, int> done = new(StringComparer.Ordinal);
        foreach (Process worker in workers)
        {
            string output = await worker.StandardOutput.ReadToEndAsync();
            await worker.WaitForExitAsync();
            good &= Check(worker.ExitCode == 0, $"worker {worker.Id} ended with {worker.ExitCode}");
            foreach (string[] item in output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(i => i.Split('=')))
            {
                done[item[0]] = done.GetValueOrDefault(item[0]) + int.Parse(item[1], CultureInfo.InvariantCulture);
            }

            worker.Dispose();
        }

        Console.WriteLine($"{processes} processes, {seconds} s: {string.Join(", ", done.Select(d => $"{d.Key} {d.Value}"))}");
        return good & Check(done.Count > 0, "the workers did something");
    }

    private static async Task ImportAllAsync(ImageStore store, string archives)
    {
        for (int number = 0; number < SoakImages.Count; number++)
        {
            await store.ImportAsync(SoakImages.Archive(archives, number), new ImportOptions { Trust = TrustPolicy.Insecure });
        }
    }

    private static bool Check(bool holds, string what)
    {
        if (!holds)
        {
            Console.Error.WriteLine($"failed: {what}");
        }

        return holds;
    }
}
