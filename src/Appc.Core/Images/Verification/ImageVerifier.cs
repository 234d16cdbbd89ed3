using System.Text;
using Appc.Images.Tar;
using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images.Verification;

/// <summary>
/// Looks at one stored image: its archive is read, decompressed and hashed anew, and all else is held against it. The
/// caller holds the image by a shared lock. Runs on the caller's (dedicated) thread.
/// </summary>
internal sealed class ImageVerifier(
    StoreLayout layout,
    ImageId id,
    bool expectsTree,
    ImageVerifyOptions options,
    Action<long, long>? progress,
    CancellationToken cancellationToken)
{
    private const int ReadBytes = 1 << 20;

    private static readonly string[] KnownNames =
    [
        StoreLayout.ArchiveFile, StoreLayout.SignatureFile, StoreLayout.ManifestFile, StoreLayout.ProvenanceFile,
        StoreLayout.TreeDirectory, StoreLayout.ImpliedFile, StoreLayout.RenderedDirectory,
    ];

    private readonly string _directory = layout.Image(id);
    private readonly FindingCollector _findings = new(id);
    private readonly List<string> _unchecked = [];
    private ImageManifest? _manifest;
    private byte[] _manifestBytes = [];
    private SignatureSigner? _signer;
    private string? _digest;
    private long _files;

    /// <summary>What has been found so far.</summary>
    public FindingCollector Findings => _findings;

    /// <summary>Trees that could not be checked.</summary>
    public ICollection<string> Unchecked => _unchecked;

    /// <summary>Looks at archive, signature, records and tree.</summary>
    /// <param name="check">Checks the signature over the archive's bytes; null if there is nothing to check.</param>
    public void Verify(ISignatureCheck? check)
    {
        ImageProvenance? provenance = ReadProvenance();
        SignatureVerdict? verdict = check is null ? null : PassArchive(check);
        using FileSystemProbe probe = new(layout);
        FindingCollector tree = new(id);
        bool whole = VerifyArchive(probe, tree);
        if (whole)
        {
            _findings.AddAll(tree);
        }

        if (_manifest is not null)
        {
            CompareManifest();
            if (verdict is not null)
            {
                _signer = verdict.SignerFor(_manifest.Name);
                if (_signer is null)
                {
                    _findings.Add(ImagePart.Signature, $"no key that signed it is trusted for {_manifest.Name} now");
                }
            }
        }

        bool signed = File.Exists(Path.Combine(_directory, StoreLayout.SignatureFile));
        if (!signed && provenance is { Insecure: false })
        {
            _findings.Add(ImagePart.Signature, "is missing, and the image was checked when it was stored");
        }
        else if (!signed && provenance is { Insecure: true } && options.Trust.SignatureRequired)
        {
            _findings.Add(ImagePart.Signature, "the image was stored without a signature check");
        }
    }

    /// <summary>All that was found.</summary>
    public ImageVerification Report() => new()
    {
        Id = id,
        Manifest = _manifest,
        Findings = _findings.Findings,
        FindingsOmitted = _findings.Omitted,
        Signer = _signer,
        TreeDigest = _digest,
        TreeFiles = _files,
        Unchecked = _unchecked,
        UnknownFiles = Directory.EnumerateFileSystemEntries(_directory).Select(p => Path.GetFileName(p)).Except(KnownNames)
            .Select(n => ByteText.Show(Encoding.UTF8.GetBytes(n))).Order(StringComparer.Ordinal).ToArray(),
    };

    private ImageProvenance? ReadProvenance()
    {
        try
        {
            return ProvenanceJson.Read(File.ReadAllBytes(Path.Combine(_directory, StoreLayout.ProvenanceFile)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            _findings.Add(ImagePart.Provenance, e is FileNotFoundException ? "is missing" : $"cannot be read: {e.Message}");
            return null;
        }
    }

    /// <summary>Shows the archive, as it lies on disk, to the signature check.</summary>
    private SignatureVerdict? PassArchive(ISignatureCheck check)
    {
        try
        {
            using FileStream archive = ImageImport.OpenArchive(Path.Combine(_directory, StoreLayout.ArchiveFile));
            byte[] buffer = new byte[ReadBytes];
            int length;
            while ((length = archive.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                check.Append(buffer.AsMemory(0, length));
            }

            return check.Complete();
        }
        catch (TrustException e)
        {
            _findings.Add(ImagePart.Signature, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
        {
            // Told when the archive is read.
        }

        return null;
    }

    /// <summary>Reads the archive to its end and holds the tree against it; true if it is the image that its id names.</summary>
    private bool VerifyArchive(FileSystemProbe probe, FindingCollector tree)
    {
        bool whole = false;
        try
        {
            using FileStream archive = ImageImport.OpenArchive(Path.Combine(_directory, StoreLayout.ArchiveFile));
            long total = archive.Length;
            using ArchivePipeline pipeline = new(archive, options.Limits, bytes => progress?.Invoke(bytes, total), cancellationToken);
            using Fd? root = TryOpenTree();
            if (root is null)
            {
                whole = Read(pipeline, new LayoutChecker());
                if (whole && expectsTree)
                {
                    _findings.Add(ImagePart.Tree, "is missing");
                }

                return whole;
            }

            using Fd owner = Fd.OpenDirectory(_directory);
            using TreeVerifier verifier = new(root, owner.Stat(), tree, probe, cancellationToken);
            whole = Read(pipeline, verifier);
            if (whole)
            {
                _digest = verifier.Walk(root, out _files);
                CompareImplied(verifier.Implied, tree);
            }
            else
            {
                using TreeDigester digester = new(cancellationToken);
                _digest = digester.Compute(root);
                _files = digester.Records;
            }
        }
        catch (FileNotFoundException)
        {
            _findings.Add(ImagePart.Archive, "is missing, so that nothing else can be held against it");
        }
        catch (ImageException e)
        {
            _findings.Add(ImagePart.Archive, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _findings.Add(whole ? ImagePart.Tree : ImagePart.Archive, $"cannot be read: {e.Message}");
        }

        return whole;
    }

    private bool Read(ArchivePipeline pipeline, ITreeSink sink)
    {
        try
        {
            AciReader reader = new(new TarReader(pipeline, options.Limits), sink, options.Limits);
            _manifest = reader.Read();
            _manifestBytes = reader.ManifestBytes;
        }
        catch (Exception e) when (e is ImageException or ManifestException)
        {
            _findings.Add(ImagePart.Archive, $"is damaged, so that nothing else can be held against it: {e.Message}");
            return false;
        }

        string actual = ImageMatch.IdPrefix + Convert.ToHexStringLower(pipeline.Digest!);
        if (actual == id.ToString())
        {
            return true;
        }

        _manifest = null;
        _findings.Add(ImagePart.Archive, $"is another image, so that nothing else can be held against it: its id is {actual}");
        return false;
    }

    private void CompareManifest()
    {
        try
        {
            if (!File.ReadAllBytes(Path.Combine(_directory, StoreLayout.ManifestFile)).AsSpan().SequenceEqual(_manifestBytes))
            {
                _findings.Add(ImagePart.Manifest, "differs from the manifest in the archive");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _findings.Add(ImagePart.Manifest, e is FileNotFoundException ? "is missing" : $"cannot be read: {e.Message}");
        }
    }

    private void CompareImplied(IEnumerable<byte[]> expected, FindingCollector tree)
    {
        try
        {
            List<byte[]> stored = ImpliedDirectories.Read(Path.Combine(_directory, StoreLayout.ImpliedFile));
            stored.Sort(ByteOrder.Instance);
            if (!stored.Select(Convert.ToHexString).SequenceEqual(expected.Select(Convert.ToHexString)))
            {
                tree.Add(ImagePart.Tree, $"the list of its directories without an entry ({StoreLayout.ImpliedFile}) is another one than that of the archive");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tree.Add(ImagePart.Tree, $"the list of its directories without an entry ({StoreLayout.ImpliedFile}) cannot be read: {e.Message}");
        }
    }

    private Fd? TryOpenTree()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        using Fd directory = Fd.OpenDirectory(_directory);
        return Fd.TryOpenDirectory(directory, Fd.PathBytes(StoreLayout.TreeDirectory));
    }
}
