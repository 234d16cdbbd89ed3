using Appc.Fetching;
using Appc.Images;
using Appc.Pods;
using Appc.Signing.Packets;
using Appc.Signing.Tests.Support;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Signing.Tests;

/// <summary>Images that were trusted once: what of it is left when they are to run.</summary>
public sealed class StoredTrustTests : IDisposable
{
    private const string Name = "example.com/team/app";

    private readonly TrustScene _scene = new();
    private readonly Forge _key = Forge.NewKey();
    private readonly Forge _other = Forge.NewKey();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Provenance_tells_policy_signers_and_time_and_the_image_runs()
    {
        await TrustAsync(_key, "example.com");
        await TrustAsync(_key, "example.com/team");
        StoredImage image = await _scene.ImportAsync(Name, [_key]);
        ImageProvenance provenance = (await _scene.Runtime.Images.GetAsync(image.Id)).Provenance;
        Assert.Equal(TrustPolicy.RequireSignature, provenance.Policy);
        Assert.Equal(_scene.Clock.GetUtcNow(), provenance.Checked);
        Assert.Equal((_key.Key.Fingerprint, TrustBasis.Signatures, false), (provenance.Signer!.PrimaryFingerprint, provenance.Basis, provenance.Insecure));

        TrustDecision decision = await _scene.Runtime.Images.CheckTrustAsync(image.Id);
        Assert.Equal((TrustBasis.Signatures, null), (decision.Basis, decision.Reservation));
        Assert.Equal(["example.com", "example.com/team"], Assert.Single(decision.Signers).Scopes);
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image));
        await (await _scene.Runtime.RunPreparedAsync(prepared.Uuid)).WaitAsync();
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();
        Assert.Equal(2, _scene.Stage1.Started);
        Assert.DoesNotContain(_scene.Log.Entries, l => l.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Removed_key_stops_the_image_and_its_return_lets_it_run_again()
    {
        await TrustAsync(_key, "example.com");
        (StoredImage image, Pod prepared) = await PrepareAsync();
        await _scene.Keystore.RemoveAsync(_key.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com"));
        TrustException e = await _scene.AssertRefusedAsync(TrustFailure.UnknownKey, image, prepared);
        Assert.Contains(Name, e.Message, StringComparison.Ordinal);
        Assert.Contains($"{_key.Key.KeyId:x16}", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Hint);

        await TrustAsync(_key, "example.com");
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();
    }

    [Theory]
    [InlineData(2, "compromised")]
    [InlineData(1, "superseded")]
    [InlineData(3, "retired")]
    [InlineData(0, "no reason")]
    public async Task Revoked_key_stops_the_image_whatever_the_reason(byte reason, string word)
    {
        await TrustAsync(_key, null);
        (StoredImage image, Pod prepared) = await PrepareAsync();
        byte[] because = Forge.Sub(SubpacketType.RevocationReason, [reason]);
        byte[] revocation = _key.SignKeys(SignatureType.KeyRevocation, Forge.KeyTime.AddYears(2), [_key.Key], 10, because);
        await _scene.Keystore.TrustAsync([.. _key.Primary, .. revocation, .. Forge.UserId("forged"), .. _key.SelfSign("forged")], null);
        TrustException e = await _scene.AssertRefusedAsync(TrustFailure.KeyNotUsable, image, prepared);
        Assert.Contains(word, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_expired_since_stops_the_image_and_a_renewed_copy_lets_it_run()
    {
        byte[] years = Forge.Sub(SubpacketType.KeyExpirationTime, Forge.Time(DateTimeOffset.UnixEpoch.AddDays(3 * 365)));
        await _scene.Keystore.TrustAsync(_key.Certificate(years), "example.com");
        (StoredImage image, Pod prepared) = await PrepareAsync();
        _scene.Clock.Advance(TimeSpan.FromDays(366));
        await _scene.AssertRefusedAsync(TrustFailure.KeyNotUsable, image, prepared);

        await TrustAsync(_key, "example.com");
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();
    }

    [Fact]
    public async Task Signature_that_expired_since_stops_the_image()
    {
        await TrustAsync(_key, "example.com");
        string archive = await _scene.PackAsync(Name, []);
        byte[] twoYears = Forge.Sub(SubpacketType.ExpirationTime, Forge.Time(DateTimeOffset.UnixEpoch.AddDays(2 * 365)));
        await File.WriteAllBytesAsync(archive + ".asc", _key.Sign(await File.ReadAllBytesAsync(archive), null, twoYears));
        StoredImage image = await _scene.Runtime.Images.ImportAsync(archive);
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image));
        _scene.Clock.Advance(TimeSpan.FromDays(400));
        await _scene.AssertRefusedAsync(TrustFailure.SignatureNotAcceptable, image, prepared);
    }

    [Fact]
    public async Task Masked_key_stops_the_image()
    {
        await _scene.VendorKeystore.TrustAsync(_key.Certificate(), null);
        (StoredImage image, Pod prepared) = await PrepareAsync();
        string mask = Path.Combine(_scene.Local, "prefix.d/example.com/team", _key.Key.Fingerprint);
        Directory.CreateDirectory(Path.GetDirectoryName(mask)!);
        await File.WriteAllBytesAsync(mask, []);
        TrustException e = await _scene.AssertRefusedAsync(TrustFailure.WrongPrefix, image, prepared);
        Assert.Contains(mask, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_whose_scope_was_narrowed_to_a_neighbour_stops_the_image()
    {
        await TrustAsync(_key, "example.com");
        (StoredImage image, Pod prepared) = await PrepareAsync();
        await TrustAsync(_key, "example.com/teamwork");
        await _scene.Keystore.RemoveAsync(_key.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com"));
        TrustException e = await _scene.AssertRefusedAsync(TrustFailure.WrongPrefix, image, prepared);
        Assert.Contains("example.com/teamwork", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_of_a_dependency_that_is_gone_stops_the_image_that_needs_it()
    {
        await TrustAsync(_key, "example.com/team");
        await TrustAsync(_other, "base.org");
        StoredImage deep = await _scene.ImportAsync("base.org/deep", [_other]);
        await _scene.ImportAsync("example.com/team/middle", [_key], dependency: "base.org/deep");
        StoredImage image = await _scene.ImportAsync(Name, [_key], dependency: "example.com/team/middle");
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image));
        await _scene.Keystore.RemoveAsync(_other.Key.Fingerprint, Manifests.AcIdentifier.Parse("base.org"));
        TrustException e = await _scene.AssertRefusedAsync(TrustFailure.UnknownKey, image, prepared);
        Assert.Contains("base.org/deep", e.Message, StringComparison.Ordinal);
        Assert.Contains(deep.Id.ToString()[..19], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_keys_are_asked_for_when_the_image_is_stored_and_when_it_runs()
    {
        Forge third = Forge.NewKey();
        TrustPolicy two = TrustPolicy.RequireKeys(2, _key.Key.Fingerprint, _other.Key.Fingerprint, third.Key.Fingerprint);
        await TrustAsync(_key, "example.com");
        await TrustAsync(_other, "example.com/team");
        await TrustAsync(third, "elsewhere.org");

        // One of them; two of which one is for other names; one twice: none of these is two.
        foreach (Forge[] few in (Forge[][])[[_key], [_key, third], [_key, _key]])
        {
            TrustException e = await Assert.ThrowsAsync<TrustException>(() => _scene.ImportAsync(Name, few, two));
            Assert.Equal(TrustFailure.TooFewSigners, e.Failure);
            Assert.Contains(_key.Key.Fingerprint, e.Message, StringComparison.Ordinal);
        }

        StoredImage image = await _scene.ImportAsync(Name, [_key, third, _other], two);
        Assert.Equal([_other.Key.Fingerprint, _key.Key.Fingerprint], image.Provenance.Signers.Select(s => s.PrimaryFingerprint));
        Assert.Equal(two, image.Provenance.Policy);
        Assert.Equal(2, (await _scene.Runtime.Images.CheckTrustAsync(image.Id, two)).Signers.Count);
        await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.CheckTrustAsync(image.Id, TrustPolicy.RequireKeys(3)));
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image, two));

        // The pod remembers what was asked, so losing one of two keys stops it; without the policy one is enough.
        await _scene.Keystore.RemoveAsync(_other.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com/team"));
        await _scene.AssertRefusedAsync(TrustFailure.TooFewSigners, image, prepared, two);
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();
    }

    [Fact]
    public async Task Damaged_signature_beside_a_good_one_makes_no_second_signer()
    {
        TrustPolicy two = TrustPolicy.RequireKeys(2);
        await TrustAsync(_key, "example.com");
        await TrustAsync(_other, "example.com");
        string archive = await _scene.PackAsync(Name, []);
        byte[] bytes = await File.ReadAllBytesAsync(archive);
        await File.WriteAllBytesAsync(archive + ".asc", [.. _key.Sign(bytes), .. _other.Sign("another image"u8.ToArray())]);
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = two }));
        Assert.Equal(TrustFailure.TooFewSigners, e.Failure);

        // Stored for the good one, the other still does not count when the image runs.
        StoredImage image = await _scene.Runtime.Images.ImportAsync(archive);
        Assert.Equal(TrustFailure.TooFewSigners, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.CheckTrustAsync(image.Id, two))).Failure);
        await _scene.Keystore.RemoveAsync(_key.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com"));
        e = await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.CheckTrustAsync(image.Id));
        Assert.Equal(TrustFailure.KeyNotUsable, e.Failure);
        Assert.Contains(_key.Key.Fingerprint, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Id_that_the_policy_names_is_enough_and_is_logged()
    {
        string archive = await _scene.PackAsync(Name, [_key]);
        string id = "sha512-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(await UnpackAsync(archive)));
        TrustPolicy pin = TrustPolicy.AllowImages(id);
        StoredImage image = await _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = pin });
        Assert.Equal(id, image.Id.ToString());
        Assert.Equal((TrustBasis.ImageId, false, pin), (image.Provenance.Basis, image.Provenance.Insecure, image.Provenance.Policy));
        Assert.Contains(_scene.Log.Entries, l => l.Id == 2021);

        // It is for policies that name it, and for no other.
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.PrepareAsync(TrustScene.Spec(image)));
        Assert.Equal(TrustFailure.Unsigned, e.Failure);
        await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.PrepareAsync(TrustScene.Spec(image, TrustPolicy.AllowImages(Other(id)))));
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image, pin));
        await (await _scene.Runtime.RunPreparedAsync(prepared.Uuid)).WaitAsync();
        Assert.Contains(_scene.Log.Entries, l => l.Id == 3009 && l.Text.Contains(id, StringComparison.Ordinal));

        // Signatures that suffice are kept beside it.
        await TrustAsync(_key, "example.com");
        StoredImage signed = await _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = pin });
        Assert.Equal(TrustBasis.Signatures, signed.Provenance.Basis);
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(signed))).WaitAsync();
    }

    [Fact]
    public async Task Nothing_of_an_image_is_unpacked_whose_id_the_policy_does_not_name()
    {
        string archive = await _scene.PackAsync(Name, []);
        string id = "sha512-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(await UnpackAsync(archive)));
        var phases = new List<ImportPhase>();
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.ImportAsync(
            archive, new ImportOptions { Trust = TrustPolicy.AllowImages(Other(id)) }, new Phases(phases)));
        Assert.Equal(TrustFailure.MalformedSignature, e.Failure);
        Assert.DoesNotContain(ImportPhase.Extracting, phases);
        File.Delete(archive + ".asc");
        e = await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.AllowImages(Other(id)) }));
        Assert.Equal(TrustFailure.Unsigned, e.Failure);
        Assert.Equal(id, (await _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.AllowImages(id) })).Id.ToString());
    }

    [Fact]
    public async Task Image_that_was_stored_unchecked_needs_the_same_word_to_run_every_time()
    {
        await TrustAsync(_key, "example.com");
        string archive = await _scene.PackAsync(Name, [_key]);
        StoredImage image = await _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
        Assert.Equal((TrustBasis.Nothing, true, null), (image.Provenance.Basis, image.Provenance.Insecure, image.Provenance.Checked));
        Assert.Equal(TrustPolicy.Insecure, image.Provenance.Policy);
        Assert.Contains(_scene.Log.Entries, l => l is { Id: 2001, Level: LogLevel.Warning });

        // A key that would do does not make up for a check that never took place.
        Assert.Equal(TrustFailure.Unsigned, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.RunAsync(TrustScene.Spec(image)))).Failure);
        Pod prepared = await _scene.Runtime.PrepareAsync(TrustScene.Spec(image, TrustPolicy.Insecure));
        await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.RunPreparedAsync(prepared.Uuid, new RunPreparedOptions { Trust = TrustPolicy.RequireSignature }));
        await (await _scene.Runtime.RunPreparedAsync(prepared.Uuid)).WaitAsync();
        Assert.Contains(_scene.Log.Entries, l => l is { Id: 3004, Level: LogLevel.Warning } && l.Text.Contains(prepared.Uuid, StringComparison.Ordinal));
        Assert.Equal(TrustFailure.Unsigned, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.RunAsync(TrustScene.Spec(image)))).Failure);
    }

    [Fact]
    public async Task Policy_of_the_runtime_holds_where_a_call_says_nothing()
    {
        using var scene = new TrustScene { Policy = TrustPolicy.RequireKeys(2) };
        await scene.Keystore.TrustAsync([.. _key.Certificate(), .. _other.Certificate()], "example.com");
        Assert.Equal(TrustFailure.TooFewSigners, (await Assert.ThrowsAsync<TrustException>(() => scene.ImportAsync(Name, [_key]))).Failure);
        string archive = await scene.PackAsync(Name, [_key]);
        Assert.Equal(TrustFailure.TooFewSigners, (await Assert.ThrowsAsync<TrustException>(() => scene.Runtime.FetchAsync(archive))).Failure);
        StoredImage image = await scene.ImportAsync(Name, [_key], TrustPolicy.RequireSignature);
        Assert.Equal(TrustFailure.TooFewSigners, (await Assert.ThrowsAsync<TrustException>(() => scene.Runtime.RunAsync(TrustScene.Spec(image)))).Failure);
        Assert.Equal(TrustFailure.TooFewSigners, (await Assert.ThrowsAsync<TrustException>(() => scene.Runtime.FetchAsync(image.Id.ToString()))).Failure);
        await (await scene.Runtime.RunAsync(TrustScene.Spec(image, TrustPolicy.RequireSignature))).WaitAsync();
    }

    [Fact]
    public async Task Image_signed_anew_replaces_the_signature_and_runs()
    {
        await TrustAsync(_key, "example.com");
        string archive = await _scene.PackAsync(Name, [_key]);
        StoredImage image = await _scene.Runtime.Images.ImportAsync(archive);
        await _scene.Keystore.RemoveAsync(_key.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com"));
        await TrustAsync(_other, "example.com");
        await TrustScene.SignAsync(archive, _other);
        StoredImage anew = await _scene.Runtime.Images.ImportAsync(archive);
        Assert.Equal(image.Id, anew.Id);
        Assert.Equal(_other.Key.Fingerprint, Assert.Single(anew.Provenance.Signers).Fingerprint);
        Assert.Contains(_scene.Log.Entries, l => l.Id == 2022);
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();

        // The same signature once more, or none, changes nothing.
        Assert.Equal(anew.Provenance.Checked, (await _scene.Runtime.Images.ImportAsync(archive)).Provenance.Checked);
        Assert.False((await _scene.Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure })).Provenance.Insecure);
    }

    [Fact]
    public async Task Stored_image_whose_key_is_gone_serves_no_fetch()
    {
        await TrustAsync(_key, "example.com");
        StoredImage image = await _scene.ImportAsync(Name, [_key]);
        var never = new FetchOptions { PullPolicy = PullPolicy.Never };
        Assert.Equal(FetchOrigin.Store, (await _scene.Runtime.Fetcher.FetchAsync(Name, never)).Origin);
        await _scene.Keystore.RemoveAsync(_key.Key.Fingerprint, Manifests.AcIdentifier.Parse("example.com"));
        Assert.Equal(TrustFailure.UnknownKey, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.Fetcher.FetchAsync(Name, never))).Failure);
        Assert.Equal(TrustFailure.UnknownKey, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.FetchAsync(image.Id.ToString()))).Failure);
        never.Trust = TrustPolicy.AllowImages(image.Id.ToString());
        Assert.Equal(image.Id, (await _scene.Runtime.FetchAsync(Name, never)).Id);
    }

    [Fact]
    public async Task Signature_file_that_went_or_a_host_without_a_verifier_runs_nothing()
    {
        await TrustAsync(_key, "example.com");
        StoredImage image = await _scene.ImportAsync(Name, [_key]);
        using (PodRuntime blind = _scene.Build(verifier: false))
        {
            Assert.Equal(TrustFailure.NoVerifier, (await Assert.ThrowsAsync<TrustException>(() => blind.RunAsync(TrustScene.Spec(image)))).Failure);
        }

        string signature = image.ArchivePath + ".asc";
        byte[] bytes = await File.ReadAllBytesAsync(signature);
        await File.WriteAllBytesAsync(signature, _other.Sign(await File.ReadAllBytesAsync(image.ArchivePath)));
        await TrustAsync(_other, "example.com");
        Assert.Equal(TrustFailure.KeyNotUsable, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.RunAsync(TrustScene.Spec(image)))).Failure);
        File.Delete(signature);
        Assert.Equal(TrustFailure.Unsigned, (await Assert.ThrowsAsync<TrustException>(() => _scene.Runtime.RunAsync(TrustScene.Spec(image)))).Failure);
        await File.WriteAllBytesAsync(signature, bytes);
        await (await _scene.Runtime.RunAsync(TrustScene.Spec(image))).WaitAsync();
    }

    private Task TrustAsync(Forge key, string? prefix) => _scene.Keystore.TrustAsync(key.Certificate(), prefix);

    private async Task<(StoredImage Image, Pod Prepared)> PrepareAsync()
    {
        StoredImage image = await _scene.ImportAsync(Name, [_key]);
        return (image, await _scene.Runtime.PrepareAsync(TrustScene.Spec(image)));
    }

    private static string Other(string id) => id[..^1] + (id[^1] == '0' ? '1' : '0');

    private static async Task<byte[]> UnpackAsync(string archive)
    {
        using var tar = new MemoryStream();
        await using var gzip = new System.IO.Compression.GZipStream(File.OpenRead(archive), System.IO.Compression.CompressionMode.Decompress);
        await gzip.CopyToAsync(tar);
        return tar.ToArray();
    }

    private sealed class Phases(List<ImportPhase> seen) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => seen.Add(value.Phase);
    }
}
