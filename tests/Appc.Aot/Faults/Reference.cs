using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Aot.Faults;

/// <summary>The image of the tests as it is when nothing goes wrong.</summary>
/// <param name="Archive">The archive's file.</param>
/// <param name="Id">The image's id.</param>
/// <param name="TreeDigest">Digest of its tree; empty for who only does the work and checks nothing.</param>
internal sealed record Reference(string Archive, ImageId Id, string TreeDigest)
{
    public static async Task<Reference> MakeAsync(string archive, string scratch)
    {
        string root = Path.Combine(scratch, "reference");
        ImageStore store = new(root);
        StoredImage image = await store.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
        ImageVerificationReport report = await store.VerifyAsync(image.Id, new ImageVerifyOptions { Trust = TrustPolicy.Insecure });
        Directory.Delete(root, recursive: true);
        return new Reference(archive, image.Id, report.Images[0].TreeDigest!);
    }
}
