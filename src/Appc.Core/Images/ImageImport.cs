using Appc.Images.Extraction;
using Appc.Images.Tar;
using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <summary>
/// One import: the archive is brought into a directory of its own, its signature checked over the very bytes that
/// will be read, and only then decompressed, hashed and written, in one pass. Runs on the caller's (dedicated) thread.
/// </summary>
internal sealed class ImageImport : IDisposable
{
    private const int CopyBytes = 1 << 20;
    private const long ReportEvery = 1 << 20;

    private readonly ImportOptions _options;
    private readonly IProgress<ImportProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly TemporaryDirectory _directory;
    private readonly string _source;
    private TrustPolicy _policy = TrustPolicy.RequireSignature;
    private ImportProof _proof = ImportProof.None;
    private ImageId? _allowedId;
    private long _total;
    private long _reported;

    public ImageImport(
        StoreLayout layout, string source, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        _source = source;
        _options = options;
        _progress = progress;
        _cancellation = cancellationToken;
        _directory = TemporaryDirectory.Create(layout);
    }

    public TemporaryDirectory Directory => _directory;

    public string ArchivePath => Path.Combine(_directory.Path, StoreLayout.ArchiveFile);

    public string TreePath => Path.Combine(_directory.Path, StoreLayout.TreeDirectory);

    public ImageManifest Manifest { get; private set; } = null!;

    public ImageId Id { get; private set; } = null!;

    /// <summary>Who vouches for it; empty if nothing was asked, or if the policy names its id.</summary>
    public IReadOnlyList<SignatureSigner> Signers { get; private set; } = [];

    /// <summary>Why its signatures do not suffice, where the policy names its id; else null.</summary>
    public TrustException? Reservation { get; private set; }

    public int AttributesLeftOut { get; private set; }

    public string? AttributeLeftOut { get; private set; }

    /// <summary>Copies the archive and shows every byte of the copy to the check.</summary>
    public void Copy(string archivePath, ISignatureCheck? check)
    {
        using FileStream from = OpenArchive(archivePath);
        _total = from.Length;
        using FileStream to = new(ArchivePath, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0 });
        if (OperatingSystem.IsLinux() && Libc.TryClone((int)from.SafeFileHandle.DangerousGetHandle(), (int)to.SafeFileHandle.DangerousGetHandle()))
        {
            // Blocks are shared now; the check reads the copy, which nobody else can change.
            Pass(to, null, check);
        }
        else
        {
            Pass(from, to, check);
        }
    }

    /// <summary>Takes a file over that lies in a temporary directory of the store.</summary>
    public void Move(string temporaryFile, ISignatureCheck? check)
    {
        File.Move(temporaryFile, ArchivePath);
        using FileStream file = OpenArchive(ArchivePath);
        _total = file.Length;
        if (check is not null)
        {
            Pass(file, null, check);
        }
    }

    /// <summary>
    /// Decides whether the archive may be unpacked, as far as that can be told without its manifest. Where the policy
    /// names ids, it is hashed for its own id first, so that nothing of another image is unpacked.
    /// </summary>
    /// <exception cref="TrustException">It may not.</exception>
    public void Prove(TrustPolicy policy, ImportProof proof)
    {
        _policy = policy;
        _proof = proof;
        if (!policy.SignatureRequired)
        {
            return;
        }

        if (policy.Images.Count > 0 && HashAlone() is var id && policy.Allows(id))
        {
            _allowedId = id;
            return;
        }

        if (proof.Refusal is { } refusal)
        {
            throw new TrustException(refusal.Failure, refusal.Message, refusal.Hint, refusal);
        }

        SignerCount.Require(policy, proof.Verdict!.Signers, _options.ExpectedName);
    }

    /// <summary>Decompresses, hashes and writes the tree, in one pass; checks all that is known of the image.</summary>
    /// <param name="renderTree">Whether the tree is written.</param>
    public void Extract(bool renderTree)
    {
        Begin(ImportPhase.Extracting);
        using FileStream archive = OpenArchive(ArchivePath);
        _total = archive.Length;
        using ArchivePipeline pipeline = new(archive, _options.Limits, Report, _cancellation);
        TarReader tar = new(pipeline, _options.Limits);
        if (renderTree)
        {
            System.IO.Directory.CreateDirectory(TreePath);
            using Fd root = Fd.OpenDirectory(TreePath);
            using TreeWriter writer = new(root, _directory.Path);
            Read(tar, writer);
            AttributesLeftOut = writer.AttributesLeftOut;
            AttributeLeftOut = writer.AttributeLeftOut;
            if (writer.Implied.Count > 0)
            {
                ImpliedDirectories.Write(Path.Combine(_directory.Path, StoreLayout.ImpliedFile), writer.Implied);
            }
        }
        else
        {
            Read(tar, new LayoutChecker());
        }

        Id = ImageId.Parse(ImageMatch.IdPrefix + Convert.ToHexStringLower(pipeline.Digest!));
        if (_allowedId is not null && _allowedId != Id)
        {
            throw new ImageException(ImageFailure.BadArchive, "it changed while it was read", "import it again when it is complete");
        }

        if (_options.ExpectedId is { } expected && expected != Id)
        {
            throw new ImageException(
                ImageFailure.HashMismatch, $"its id is {Id}, and {expected} was asked for", "the file is another image, or was changed: fetch it again");
        }
    }

    /// <summary>Writes what goes beside archive and tree.</summary>
    public void WriteRecords(ImageProvenance provenance, byte[]? signature)
    {
        string record = Path.Combine(_directory.Path, StoreLayout.ProvenanceFile);
        File.WriteAllBytes(record, ProvenanceJson.Write(provenance));
        FileClock.Set(record, provenance.Imported);
        if (signature is not null)
        {
            File.WriteAllBytes(Path.Combine(_directory.Path, StoreLayout.SignatureFile), signature);
        }
    }

    public void Begin(ImportPhase phase)
    {
        _cancellation.ThrowIfCancellationRequested();
        Phase = phase;
        _reported = 0;
        _progress?.Report(new ImportProgress(phase, 0, _total));
    }

    public void Dispose() => _directory.Dispose();

    private ImportPhase Phase { get; set; }

    private ImageId HashAlone()
    {
        Begin(ImportPhase.Verifying);
        using FileStream archive = OpenArchive(ArchivePath);
        _total = archive.Length;
        using ArchivePipeline pipeline = new(archive, _options.Limits, Report, _cancellation);
        while (!pipeline.Next().IsEmpty)
        {
            _cancellation.ThrowIfCancellationRequested();
        }

        return ImageId.Parse(ImageMatch.IdPrefix + Convert.ToHexStringLower(pipeline.Digest!));
    }

    private void Read(TarReader tar, ITreeSink sink)
    {
        AciReader reader = new(tar, sink, _options.Limits, CheckManifest);
        Manifest = reader.Read();
        File.WriteAllBytes(Path.Combine(_directory.Path, StoreLayout.ManifestFile), reader.ManifestBytes);
    }

    /// <summary>As soon as the manifest is met: is it the image that was asked for, and may this key sign it?</summary>
    private void CheckManifest(ImageManifest manifest)
    {
        if (_options.ExpectedName is { } name && manifest.Name != name)
        {
            throw new ImageException(
                ImageFailure.NameMismatch, $"its manifest names {manifest.Name}, and {name} was asked for", "check where the file comes from");
        }

        foreach (Label label in _options.ExpectedLabels)
        {
            string? value = manifest.GetLabel(label.Name.ToString());
            if (value != label.Value)
            {
                throw new ImageException(
                    ImageFailure.NameMismatch,
                    value is null
                        ? $"its manifest has no label {label.Name}, and {label.Name}={Shown(label.Value)} was asked for"
                        : $"its label {label.Name} is {Shown(value)}, and {Shown(label.Value)} was asked for",
                    "check where the file comes from");
            }
        }

        foreach (Label label in _options.CompatibleLabels)
        {
            if (manifest.GetLabel(label.Name.ToString()) is { } value && value != label.Value)
            {
                throw new ImageException(
                    ImageFailure.NameMismatch,
                    $"it is made for {label.Name}={Shown(value)}, and {label.Name}={Shown(label.Value)} is needed here",
                    $"name the label in the reference if this is the image you mean: {manifest.Name},{label.Name}={Shown(value)}");
            }
        }

        if (!_policy.SignatureRequired)
        {
            return;
        }

        try
        {
            Signers = SignerCount.Require(_policy, _proof.Verdict?.Signers ?? throw _proof.Refusal!, manifest.Name);
        }
        catch (TrustException e) when (_allowedId is not null)
        {
            Reservation = e;
        }
    }

    private void Pass(FileStream from, FileStream? to, ISignatureCheck? check)
    {
        Begin(ImportPhase.Verifying);
        using SignatureFeed? feed = check is null ? null : new SignatureFeed(check);
        byte[] own = feed is null ? new byte[CopyBytes] : [];
        long done = 0;
        from.Position = 0;
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            byte[] buffer = feed?.Rent() ?? own;
            int length = from.Read(buffer);
            if (length == 0)
            {
                break;
            }

            feed?.Append(buffer, length);
            to?.Write(buffer, 0, length);
            if (to is not null && OperatingSystem.IsLinux())
            {
                Libc.StartWriteback((int)to.SafeFileHandle.DangerousGetHandle(), done, length);
            }

            done += length;
            Report(done);
        }

        feed?.Finish();
        if (done != _total)
        {
            // Whoever writes to the file meanwhile gets no image of a mixture.
            throw new ImageException(ImageFailure.BadArchive, "it changed while it was read", "import it again when it is complete");
        }
    }

    private void Report(long bytes)
    {
        if (_progress is not null && bytes - _reported >= ReportEvery)
        {
            _reported = bytes;
            _progress.Report(new ImportProgress(Phase, bytes, _total));
        }
    }

    internal static unsafe FileStream OpenArchive(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            // Looked at first: opening a pipe would wait for its other end.
            fixed (byte* p = Fd.PathBytes(path))
            {
                if (Libc.StatAt(Libc.AT_FDCWD, p, 0, out Libc.Statx stat) == 0 && stat.Type != Libc.S_IFREG)
                {
                    throw new ImageException(ImageFailure.BadArchive, "it is not a regular file");
                }
            }
        }

        return new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
    }

    private static string Shown(string text) => ByteText.Show(System.Text.Encoding.UTF8.GetBytes(text));
}
