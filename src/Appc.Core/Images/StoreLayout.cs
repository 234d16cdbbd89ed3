using System.Globalization;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>Where things lie below a data directory.</summary>
internal sealed class StoreLayout(string root)
{
    /// <summary>Version of the layout that this library writes.</summary>
    public const int Version = 1;

    public const string ArchiveFile = "image.aci";
    public const string SignatureFile = "image.aci.asc";
    public const string ManifestFile = "manifest";

    /// <summary>Where the image came from. Its modification time is when the image was used last.</summary>
    public const string ProvenanceFile = "provenance.json";

    public const string TreeDirectory = "rootfs";

    /// <summary>Directories of the tree without an entry in the archive: paths as bytes, each ended by NUL. Absent if there are none.</summary>
    public const string ImpliedFile = "implied";

    /// <summary>Trees of an image together with its dependencies, where an overlay stack cannot give them.</summary>
    public const string RenderedDirectory = "rendered";

    /// <summary>
    /// Ends the name of the file beside a rendered tree that tells what the tree was made of. Its modification time is when
    /// the tree was used last.
    /// </summary>
    public const string RenderedRecordSuffix = ".images";

    public string Root { get; } = Path.GetFullPath(root);

    public string Images => Path.Combine(Root, "images");

    public string Temporary => Path.Combine(Root, "tmp");

    public string VersionFile => Path.Combine(Root, "version");

    public string Image(ImageId id) => Path.Combine(Images, id.ToString());

    /// <summary>Refuses a data directory of a newer layout.</summary>
    public void CheckVersion()
    {
        string text;
        try
        {
            text = File.ReadAllText(VersionFile).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"data directory {Root} cannot be read");
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version > Version)
        {
            throw new ImageException(
                ImageFailure.Storage,
                $"data directory {Root} has layout version '{ByteText.Show(System.Text.Encoding.UTF8.GetBytes(text))}'; this program knows version {Version}",
                "use the newer program that made it, or another data directory");
        }
    }

    /// <summary>Makes the data directory where it is missing.</summary>
    public void Ensure()
    {
        CheckVersion();
        try
        {
            CreatePrivate(Root, shared: true);
            CreatePrivate(Images, shared: false);
            CreatePrivate(Temporary, shared: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"data directory {Root} cannot be made");
        }
    }

    // Trees hold set-uid files of strangers: no other user of the host may reach them.
    private static void CreatePrivate(string path, bool shared)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (shared)
        {
            mode |= UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        }

        Directory.CreateDirectory(path, mode);
    }

    /// <summary>Writes the version file where it is missing: beside its place, in a directory that is collected if this is interrupted.</summary>
    public void EnsureVersionFile(string workDirectory)
    {
        if (!File.Exists(VersionFile))
        {
            string temporary = Path.Combine(workDirectory, "version");
            File.WriteAllText(temporary, Version.ToString(CultureInfo.InvariantCulture) + "\n");
            File.Move(temporary, VersionFile, overwrite: true);
        }
    }
}
