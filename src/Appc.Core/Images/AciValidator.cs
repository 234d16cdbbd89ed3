using Appc.Images.Tar;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>
/// Checks archives without unpacking them: container format, checksums, layout, names, the manifest, and how the
/// entries fit together. What passes here can be extracted, as far as an archive alone can tell.
/// </summary>
public static class AciValidator
{
    private const int MostFindings = 100;

    /// <summary>Reads an archive whole and returns what it holds.</summary>
    /// <param name="archive">The archive, compressed or not, from where the stream stands; not closed.</param>
    /// <param name="limits">Bounds; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ImageException">The first fault of the archive.</exception>
    /// <exception cref="ManifestException">The manifest is malformed.</exception>
    public static Task<AciSummary> ValidateAsync(Stream archive, ArchiveLimits? limits = null, CancellationToken cancellationToken = default) =>
        RunAsync(archive, seekable => Read(seekable, limits ?? new ArchiveLimits(), null, cancellationToken)!, cancellationToken);

    /// <summary>Reads an archive as far as possible and returns everything that is wrong with it.</summary>
    /// <param name="archive">The archive, compressed or not, from where the stream stands; not closed.</param>
    /// <param name="limits">Bounds; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static Task<AciReport> CheckAsync(Stream archive, ArchiveLimits? limits = null, CancellationToken cancellationToken = default) =>
        RunAsync(archive, seekable => Check(seekable, limits ?? new ArchiveLimits(), cancellationToken), cancellationToken);

    private static AciReport Check(Stream archive, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        List<AciFinding> findings = [];
        AciSummary? summary = Read(archive, limits, finding =>
        {
            // A fault inside an entry may end the reading, too: it is one all the same.
            if (findings.Count < MostFindings && (findings.Count == 0 || findings[^1] != finding))
            {
                findings.Add(finding);
            }
        }, cancellationToken);
        return new AciReport { Findings = findings, Summary = findings.Count == 0 ? summary : null };
    }

    /// <summary>Reads an archive; null if it ends with a finding.</summary>
    private static AciSummary? Read(Stream archive, ArchiveLimits limits, Action<AciFinding>? onFinding, CancellationToken cancellationToken)
    {
        using ArchivePipeline pipeline = new(archive, limits, null, cancellationToken);
        TarReader tar = new(pipeline, limits);
        AciReader reader = new(tar, new LayoutChecker(), limits) { OnFinding = onFinding };
        ImageManifest manifest;
        try
        {
            manifest = reader.Read();
        }
        catch (Exception e) when (onFinding is not null && e is (ImageException or ManifestException))
        {
            bool whole = pipeline.IsOwnFault(e);
            onFinding!(new AciFinding(e.Message, whole || tar.EntryName is null ? null : ByteText.Show(tar.EntryName), whole ? null : tar.HeaderOffset));
            return null;
        }

        return new AciSummary
        {
            Manifest = manifest,
            Id = ImageId.Parse(ImageMatch.IdPrefix + Convert.ToHexStringLower(pipeline.Digest!)),
            Compression = pipeline.Compression,
            Entries = reader.Entries,
            ExpandedBytes = pipeline.ExpandedBytes,
        };
    }

    private static async Task<T> RunAsync<T>(Stream archive, Func<Stream, T> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(archive);
        if (archive.CanSeek)
        {
            return await DedicatedThread.RunAsync("appc validate", () => work(archive)).ConfigureAwait(false);
        }

        FileStream copy = new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        await using (copy.ConfigureAwait(false))
        {
            await archive.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
            copy.Position = 0;
            return await DedicatedThread.RunAsync("appc validate", () => work(copy)).ConfigureAwait(false);
        }
    }
}
