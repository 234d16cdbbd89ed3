using Appc.Manifests;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>Policies as values.</summary>
public sealed class TrustPolicyTests
{
    private static readonly string A = new('a', 40);
    private static readonly string B = new('b', 64);
    private static readonly string Id = "sha512-" + new string('1', 128);
    private static readonly AcIdentifier App = AcIdentifier.Parse("example.com/app");

    [Fact]
    public void Policies_that_say_the_same_are_equal_and_never_change()
    {
        TrustPolicy two = TrustPolicy.RequireKeys(2, A, B);
        Assert.Equal(two, TrustPolicy.RequireSignature.WithKeys(2, A.ToUpperInvariant(), "0x" + B, A));
        Assert.Equal(two.GetHashCode(), TrustPolicy.RequireKeys(2, A, B).GetHashCode());
        Assert.NotEqual(two, TrustPolicy.RequireKeys(1, A, B));
        Assert.Equal(TrustPolicy.AllowImages(Id), TrustPolicy.RequireSignature.WithImages(Id, Id));
        TrustPolicy both = two.WithImages(Id);
        Assert.Empty(two.Images);
        Assert.Equal([ImageId.Parse(Id)], both.WithKeys(1, A).Images);
        Assert.True(both.Allows(ImageId.Parse(Id)));
        Assert.True(TrustPolicy.Insecure.WithKeys(1, A).SignatureRequired);
        Assert.Equal($"signatures by 2 of the keys {A}, {B}, or one of 1 ids", both.ToString());
        Assert.Equal(["a trusted signature", "nothing", "signatures by 3 trusted keys"], ((TrustPolicy[])[TrustPolicy.RequireSignature, TrustPolicy.Insecure, TrustPolicy.RequireKeys(3)]).Select(p => p.ToString()));
    }

    [Fact]
    public void What_cannot_be_a_policy_is_refused()
    {
        // Short ids of keys can be made to collide.
        Assert.Throws<ArgumentException>(() => TrustPolicy.RequireKeys(1, A[..16]));
        Assert.Throws<ArgumentException>(() => TrustPolicy.RequireKeys(1, new string('g', 40)));
        Assert.Throws<ArgumentException>(() => TrustPolicy.RequireKeys(1, (string)null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => TrustPolicy.RequireKeys(3, A, B));
        Assert.Throws<ArgumentOutOfRangeException>(() => TrustPolicy.RequireKeys(2, A, A));
        Assert.Throws<ArgumentOutOfRangeException>(() => TrustPolicy.RequireKeys(0));
        Assert.Throws<ArgumentException>(() => TrustPolicy.AllowImages(Id[..40]));
        Assert.Throws<ArgumentException>(() => TrustPolicy.AllowImages());
    }

    [Fact]
    public void One_key_is_one_voice_however_many_subkeys_it_has()
    {
        SignatureSigner[] signers = [Signer(A, "sub1", "example.com"), Signer(A, "sub2", ""), Signer(B, "b", "example.com/app"), Signer(new string('c', 40), "c", "other.org")];
        Assert.Equal(["b", "sub1", "sub2"], SignerCount.Require(TrustPolicy.RequireKeys(2), signers, App).Select(s => s.Fingerprint));
        Assert.Equal(["sub1", "b", "sub2"], SignerCount.Require(TrustPolicy.RequireKeys(1, A), signers, App).Select(s => s.Fingerprint));
        Assert.Equal(4, SignerCount.Require(TrustPolicy.RequireKeys(3), signers, null).Count);
        TrustException e = Assert.Throws<TrustException>(() => SignerCount.Require(TrustPolicy.RequireKeys(3), signers, App));
        Assert.Equal(TrustFailure.TooFewSigners, e.Failure);
        Assert.Equal(TrustFailure.TooFewSigners, Assert.Throws<TrustException>(() => SignerCount.Require(TrustPolicy.RequireKeys(1, new string('d', 40)), signers, App)).Failure);
        Assert.Equal(TrustFailure.TooFewSigners, Assert.Throws<TrustException>(() => SignerCount.Require(TrustPolicy.RequireKeys(2, A, new string('c', 40)), signers, App)).Failure);
        Assert.Equal(TrustFailure.WrongPrefix, Assert.Throws<TrustException>(() => SignerCount.Require(TrustPolicy.RequireSignature, signers[3..], App)).Failure);
    }

    private static SignatureSigner Signer(string primary, string fingerprint, string scope) =>
        new(fingerprint, primary, null, DateTimeOffset.UnixEpoch, "none", [scope]);
}
