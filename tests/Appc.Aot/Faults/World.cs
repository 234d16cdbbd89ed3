using Appc.Core.Tests.Images;
using Appc.Images;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.InMemory;
using Appc.Stage1.Nspawn;
using Appc.Trust;

namespace Appc.Aot.Faults;

/// <summary>One data directory, and what must be true of it whatever happened.</summary>
/// <param name="Directory">Scratch, outside of the data directory.</param>
/// <param name="Root">The data directory.</param>
/// <param name="Reference">The images as they must be.</param>
internal sealed record World(string Directory, string Root, Reference Reference)
{
    public ImageStore OpenStore() => new(Root, new ImageStoreOptions { Verifier = new StubVerifier() });

    public PodRuntime OpenRuntime() => new PodRuntimeBuilder(Root).UseVerifier(new StubVerifier()).UseInMemory().UseFly().UseNspawn().Build();

    public Task<StoredImage> ImportAsync(bool insecure = false) => OpenStore().ImportAsync(
        Reference.Archive, new ImportOptions { Trust = insecure ? TrustPolicy.Insecure : TrustPolicy.RequireSignature });

    /// <summary>Removes pods whatever their age, and what interrupted work left.</summary>
    public async Task<GarbageReport> CollectPodsAsync()
    {
        using PodRuntime runtime = OpenRuntime();
        return await runtime.CollectGarbageAsync(new GarbageOptions { GracePeriod = TimeSpan.Zero, ExpirePrepared = TimeSpan.Zero });
    }

    public string[] Leftovers() => Entries("tmp");

    /// <summary>Everything that is stored is whole: archive, signature and tree, to the last attribute.</summary>
    public async Task VerifyAsync()
    {
        ImageStore store = OpenStore();
        IReadOnlyList<StoredImage> images = await store.ListAsync();
        Check(images.Count == Entries("images").Length, "a directory in images is no image");
        foreach (StoredImage image in images)
        {
            // An image that counts as unchecked has no signature that could be looked at.
            TrustPolicy trust = image.Provenance.Insecure ? TrustPolicy.Insecure : TrustPolicy.RequireSignature;
            ImageVerification seen = (await store.VerifyAsync(image.Id, new ImageVerifyOptions { Trust = trust })).Images[0];
            Check(seen.IsGood, string.Join("; ", seen.Findings));
            Check(seen.TreeDigest == Reference.TreeDigest, "the tree is not the archive's");
        }
    }

    /// <summary>The work can be done again, and then nothing is there but its result.</summary>
    public async Task RecoverAsync()
    {
        StoredImage image = await ImportAsync();
        Check(!image.Provenance.Insecure && image.Provenance.Signer is not null, "the image counts as unchecked after a checked import");
        GarbageReport report = await CollectPodsAsync();
        Check(report.Failures.Count == 0, string.Join("; ", report.Failures));
        await VerifyAsync();
        Check(Leftovers().Length == 0, "the collection left: " + string.Join(", ", Leftovers()));
        CheckNoPods();

        IReadOnlyList<string> layers = await OpenStore().GetLayersAsync(image.Id);
        Check(layers.Count == 1 && File.Exists(Path.Combine(layers[0], "etc/kept")) && !File.Exists(Path.Combine(layers[0], "etc/left-out")), "the rendered tree is wrong");
        Check(Leftovers().Length == 0, "rendering left: " + string.Join(", ", Leftovers()));
    }

    /// <summary>Every pod can be looked at; once those that run have ended, nothing of any of them outlives a collection.</summary>
    public async Task RecoverPodsAsync(bool killed, bool changesApps)
    {
        using PodRuntime runtime = OpenRuntime();
        foreach (PodStatus seen in await runtime.ListAsync())
        {
            Check(
                seen.State is PodState.AbortedPrepare or PodState.Prepared or PodState.Running or PodState.Exited or PodState.ExitedGarbage or PodState.Garbage,
                $"a pod is {seen.State} although nobody is at work on it");
            if (seen.State == PodState.Running)
            {
                await using Pod pod = await runtime.OpenAsync(seen.Uuid);
                if (changesApps)
                {
                    await PodScenarios.RecoverAppsAsync(this, pod);
                }

                PodStatus end = seen.Apps[0].Name.ToString() == PodScenarios.Waiting ? await pod.StopAsync(TimeSpan.Zero) : await pod.WaitAsync();
                Check(end.HasEnded, $"a pod that was waited for is {end.State}");

                // Where a record could not be written, that is the fault; here somebody is killed. Before the start is recorded, an app
                // may have come to nothing: without its starter nobody answers the calls that are watched here.
                bool known = killed && end.Apps[0].Name.ToString() == PodScenarios.Recorded && end.Started is not null;
                Check(!known || end.ExitCode == 0, $"a pod that records its own end ended with {end.ExitCode}");
            }
        }

        string[] uuids = [.. Parts.SelectMany(Entries).Select(e => Path.GetFileName(e)!).Distinct()];
        GarbageReport report = await CollectPodsAsync();
        Check(report.Failures.Count == 0, string.Join("; ", report.Failures));
        CheckNoPods();
        Check(Leftovers().Length == 0, "the collection left: " + string.Join(", ", Leftovers()));
        string[] groups = [.. uuids.SelectMany(u => System.IO.Directory.EnumerateDirectories("/sys/fs/cgroup", "appc-" + u, SearchOption.AllDirectories))];
        Check(groups.Length == 0, "control groups are left: " + string.Join(", ", groups));
        Check(!(await File.ReadAllTextAsync("/proc/self/mountinfo")).Contains(Root, StringComparison.Ordinal), "a mount is left");
    }

    private void CheckNoPods()
    {
        foreach (string part in Parts)
        {
            Check(Entries(part).Length == 0, $"the collection left in {part}: " + string.Join(", ", Entries(part)));
        }
    }

    private static readonly string[] Parts = ["pods/prepare", "pods/prepared", "pods/run", "pods/exited-garbage", "pods/garbage", "pods/locks"];

    public static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FaultFoundException(otherwise);
        }
    }

    private string[] Entries(string part)
    {
        string path = Path.Combine(Root, part);
        return System.IO.Directory.Exists(path) ? System.IO.Directory.GetFileSystemEntries(path) : [];
    }
}
