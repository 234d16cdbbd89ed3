using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Trust;
using Microsoft.Extensions.Time.Testing;

namespace Appc.Signing.Tests.Support;

/// <summary>A host with a keystore of two directories, a data directory, a clock, and images that forged keys sign.</summary>
internal sealed class TrustScene : IDisposable
{
    private readonly TempDirectory _directory = new();
    private PodRuntime? _runtime;

    public FakeTimeProvider Clock { get; } = new(Forge.KeyTime.AddYears(2));

    public LogRecorder Log { get; } = new();

    public IdleStage1 Stage1 { get; } = new();

    public TrustPolicy Policy { get; init; } = TrustPolicy.RequireSignature;

    public PodRuntime Runtime => _runtime ??= Build();

    public string Local => _directory["etc"];

    public string Vendor => _directory["usr"];

    public Keystore Keystore => new(KeystoreOptions(), Log, Clock);

    /// <summary>The vendor's keystore, where the administrator's cannot be written to by mistake.</summary>
    public Keystore VendorKeystore => Verification.NewKeystore(Vendor, Clock);

    public PodRuntime Build(bool verifier = true)
    {
        PodRuntimeBuilder builder = new PodRuntimeBuilder(_directory["data"]).UseLogging(Log).UseTimeProvider(Clock).UseStage1(Stage1).UseTrustPolicy(Policy);
        return (verifier ? builder.UseOpenPgp(KeystoreOptions()) : builder).Build();
    }

    /// <summary>Makes an archive and the signatures of some keys over it, in one file.</summary>
    public async Task<string> PackAsync(string name, Forge[] signers, string? dependency = null, string extra = "")
    {
        string rootfs = Directory.CreateDirectory(_directory["rootfs"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(rootfs, "file"), name + extra);
        var manifest = new ImageManifest
        {
            Name = AcIdentifier.Parse(name),
            App = new App { Exec = ["/bin/true"], User = "0", Group = "0" },
            Dependencies = dependency is null ? [] : [new Dependency { ImageName = AcIdentifier.Parse(dependency) }],
        };
        string path = _directory[Guid.NewGuid().ToString("N") + ".aci"];
        await AciWriter.BuildAsync(manifest, rootfs, path);
        await SignAsync(path, signers);
        return path;
    }

    public static async Task SignAsync(string path, params Forge[] signers)
    {
        byte[] image = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path + ".asc", [.. signers.SelectMany(s => s.Sign(image))]);
    }

    public async Task<StoredImage> ImportAsync(string name, Forge[] signers, TrustPolicy? policy = null, string? dependency = null) =>
        await Runtime.Images.ImportAsync(await PackAsync(name, signers, dependency), new ImportOptions { Trust = policy });

    public static PodSpec Spec(StoredImage image, TrustPolicy? policy = null) => new(new AppSpec(image)) { Trust = policy };

    /// <summary>
    /// Asserts that today neither the store, nor a new pod, nor a pod that was prepared in better days lets an image
    /// run, all for the same reason.
    /// </summary>
    public async Task<TrustException> AssertRefusedAsync(TrustFailure failure, StoredImage image, Pod prepared, TrustPolicy? policy = null)
    {
        int started = Stage1.Started;
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => Runtime.PrepareAsync(Spec(image, policy)));
        Assert.True(failure == e.Failure, $"{e.Failure}: {e.Message}");
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.Equal(failure, (await Assert.ThrowsAsync<TrustException>(() => Runtime.RunAsync(Spec(image, policy)))).Failure);
        Assert.Equal(failure, (await Assert.ThrowsAsync<TrustException>(() => Runtime.RunPreparedAsync(prepared.Uuid))).Failure);
        Assert.Contains(Log.Entries, l => l.Id == 3010 && l.Text.Contains(prepared.Uuid, StringComparison.Ordinal));

        // The word of the caller opens it, with a warning where one key does not vouch for it either.
        Assert.Equal(started, Stage1.Started);
        Assert.Equal(PodState.Prepared, (await prepared.GetStatusAsync()).State);
        await (await Runtime.RunPreparedAsync(prepared.Uuid, new RunPreparedOptions { Trust = TrustPolicy.Insecure })).WaitAsync();
        Assert.Equal(policy is null, Log.Entries.Any(l => l.Id == 3004 && l.Text.Contains(prepared.Uuid, StringComparison.Ordinal)));
        return e;
    }

    public void Dispose()
    {
        _runtime?.Dispose();
        _directory.Dispose();
    }

    private KeystoreOptions KeystoreOptions()
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(Local);
        options.Directories.Add(Vendor);
        return options;
    }
}
