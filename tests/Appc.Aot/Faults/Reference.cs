using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Aot.Faults;

/// <summary>The image of the tests as it is when nothing goes wrong.</summary>
internal sealed class Reference
{
    private readonly byte[] _bytes;
    private readonly ImageId? _tree;

    private Reference(string archive, ImageId id, byte[] bytes, ImageId? tree)
    {
        Archive = archive;
        Id = id;
        _bytes = bytes;
        _tree = tree;
    }

    /// <summary>The archive's file.</summary>
    public string Archive { get; }

    /// <summary>For who only does the work and checks nothing.</summary>
    public static Reference Unknown(string archive, string id) => new(archive, ImageId.Parse(id), [], null);

    public static async Task<Reference> MakeAsync(string archive, string scratch)
    {
        string root = Path.Combine(scratch, $"reference-{Environment.ProcessId}");
        StoredImage image = await new ImageStore(root).ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
        ImageId tree = await World.TreeIdAsync(image.Manifest, image.TreePath!, scratch);
        Directory.Delete(root, recursive: true);
        return new Reference(archive, image.Id, await File.ReadAllBytesAsync(archive), tree);
    }

    /// <summary>The image's id.</summary>
    public ImageId Id { get; }

    public ReadOnlySpan<byte> ArchiveBytes => _bytes;

    public ImageId Tree => _tree!;
}
