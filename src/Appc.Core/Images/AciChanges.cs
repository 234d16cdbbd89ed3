using Appc.Manifests;

namespace Appc.Images;

/// <summary>What is to be different in an image that is made of another one.</summary>
public sealed class AciChanges
{
    /// <summary>The new manifest.</summary>
    /// <value>The default value is null: the manifest stays as it is, to the byte.</value>
    public ImageManifest? Manifest { get; set; }

    /// <summary>
    /// Paths to leave out, each with everything below it. A path that the image does not have is an error. Other names
    /// of a file that is left out keep its content.
    /// </summary>
    public IList<string> Remove { get; } = [];

    /// <summary>
    /// Entries to add, after <see cref="Remove"/>; one with the name of an entry that is there takes its place. An
    /// entry for a directory changes the directory and nothing in it.
    /// </summary>
    public IList<AciEntry> Entries { get; } = [];

    /// <summary>Bounds on the archive that is changed.</summary>
    public ArchiveLimits Limits { get; set; } = new();
}
