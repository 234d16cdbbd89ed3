using Appc.Manifests;

namespace Appc.Images;

/// <summary>Reads what the store knows of an image.</summary>
internal static class ImageRecord
{
    /// <summary>An image; null if it is not there, or goes while it is read.</summary>
    /// <exception cref="ImageException">Its files are damaged.</exception>
    public static StoredImage? TryLoad(StoreLayout layout, ImageId id)
    {
        string directory = layout.Image(id);
        string archive = Path.Combine(directory, StoreLayout.ArchiveFile);
        string tree = Path.Combine(directory, StoreLayout.TreeDirectory);
        try
        {
            byte[] manifest = File.ReadAllBytes(Path.Combine(directory, StoreLayout.ManifestFile));
            byte[] provenance = File.ReadAllBytes(Path.Combine(directory, StoreLayout.ProvenanceFile));
            return new StoredImage
            {
                Id = id,
                Manifest = ImageManifest.Parse(manifest),
                Provenance = ProvenanceJson.Read(provenance),
                ArchiveBytes = new FileInfo(archive).Length,
                ArchivePath = archive,
                TreePath = Directory.Exists(tree) ? tree : null,
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && !Directory.Exists(directory))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw Damaged(id, directory, e);
        }
        catch (ManifestException e)
        {
            throw Damaged(id, directory, e);
        }
    }

    private static ImageException Damaged(ImageId id, string directory, Exception e) => new(
        ImageFailure.Storage, $"image {id} in {directory} cannot be read: {e.Message}", "remove it and import it again", e);
}
