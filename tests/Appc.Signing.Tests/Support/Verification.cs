using Appc.Manifests;
using Appc.Trust;

namespace Appc.Signing.Tests.Support;

/// <summary>One verification from end to end, with its outcome as a value.</summary>
internal static class Verification
{
    public static async Task<SignatureVerdict> VerifyAsync(this ISignatureVerifier verifier, byte[] image, byte[] signature, string? name)
    {
        using var stream = new MemoryStream(signature);
        using ISignatureCheck check = await verifier.BeginAsync(stream, name is null ? null : AcIdentifier.Parse(name));
        for (int i = 0; i < image.Length; i += 100)
        {
            check.Append(image.AsMemory(i, Math.Min(100, image.Length - i)));
        }

        return check.Complete();
    }

    /// <summary>Null if the signature is trusted, else why not.</summary>
    public static async Task<TrustException?> RefusalAsync(this ISignatureVerifier verifier, byte[] image, byte[] signature, string? name)
    {
        try
        {
            SignatureVerdict verdict = await verifier.VerifyAsync(image, signature, name);
            Assert.NotEmpty(verdict.Signers);
            if (name is not null)
            {
                Assert.NotNull(verdict.SignerFor(AcIdentifier.Parse(name)));
            }

            return null;
        }
        catch (TrustException e)
        {
            Assert.DoesNotContain(e.Message, char.IsControl);
            return e;
        }
    }

    public static Keystore NewKeystore(string directory, TimeProvider? time = null)
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(directory);
        return new Keystore(options, null, time);
    }

    public static async Task TrustAsync(this Keystore keystore, byte[] keys, string? prefix)
    {
        using var stream = new MemoryStream(keys);
        await keystore.AddAsync(stream, prefix is null ? null : AcIdentifier.Parse(prefix));
    }
}
