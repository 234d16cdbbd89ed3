using Appc.Core.Tests.Images;
using Appc.Images;
using Appc.Pods;
using Appc.Stage1.InMemory;
using Appc.Trust;

namespace Appc.Aot.Faults;

/// <summary>One data directory, and what must be true of it whatever happened.</summary>
/// <param name="Directory">Scratch, outside of the data directory.</param>
/// <param name="Root">The data directory.</param>
/// <param name="Reference">The images as they must be.</param>
internal sealed record World(string Directory, string Root, Reference Reference)
{
    public ImageStore OpenStore() => new(Root, new ImageStoreOptions { Verifier = new StubVerifier() });

    public PodRuntime OpenRuntime() => new PodRuntimeBuilder(Root).UseVerifier(new StubVerifier()).UseInMemory().Build();

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
        foreach (string part in (string[])["pods/prepare", "pods/prepared", "pods/run", "pods/exited-garbage", "pods/garbage", "pods/locks"])
        {
            Check(Entries(part).Length == 0, $"the collection left in {part}: " + string.Join(", ", Entries(part)));
        }

        IReadOnlyList<string> layers = await OpenStore().GetLayersAsync(image.Id);
        Check(layers.Count == 1 && File.Exists(Path.Combine(layers[0], "etc/kept")) && !File.Exists(Path.Combine(layers[0], "etc/left-out")), "the rendered tree is wrong");
        Check(Leftovers().Length == 0, "rendering left: " + string.Join(", ", Leftovers()));
    }

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
