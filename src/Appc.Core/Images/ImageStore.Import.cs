using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <content>Import: verify, extract, publish.</content>
public sealed partial class ImageStore
{
    private const int LargestSignature = 1 << 20;

    /// <summary>
    /// Imports an archive from a file. Nothing of it is decompressed before its signature was found good; the image
    /// appears in the store whole, by one rename, or not at all. Importing an image that is in the store already
    /// returns that one.
    /// </summary>
    /// <param name="archivePath">The archive; not changed, and not needed afterwards.</param>
    /// <param name="options">What must be proven; null means a signature by a key that is trusted for the image's name.</param>
    /// <param name="progress">Told how far the import has come, from other threads than the caller's.</param>
    /// <param name="cancellationToken">Cancels the import; nothing of it stays.</param>
    /// <exception cref="ImageException">The archive is malformed, is not the image that was asked for, or the store failed.</exception>
    /// <exception cref="TrustException">The signature is missing or not good enough.</exception>
    /// <exception cref="ManifestException">The image's manifest is malformed.</exception>
    public Task<StoredImage> ImportAsync(
        string archivePath,
        ImportOptions? options = null,
        IProgress<ImportProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(archivePath);
        options ??= new ImportOptions();
        string? signaturePath = options.SignaturePath ?? archivePath + ".asc";
        return ImportCoreAsync(archivePath, moved: false, signaturePath, null, options, progress, cancellationToken);
    }

    /// <summary>
    /// Imports an archive that was downloaded into a directory made by <see cref="CreateTemporaryDirectory"/>: the file
    /// is moved, not copied. The proof was computed over the bytes while they arrived; with null the signature file
    /// is checked here as <see cref="ImportAsync"/> does. The signature file is copied.
    /// </summary>
    internal Task<StoredImage> ImportDownloadedAsync(
        string temporaryFile,
        string? signatureFile,
        ImportProof? proof,
        ImportOptions options,
        IProgress<ImportProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(temporaryFile);
        ArgumentNullException.ThrowIfNull(options);
        return ImportCoreAsync(temporaryFile, moved: true, signatureFile ?? options.SignaturePath, proof, options, progress, cancellationToken);
    }

    /// <summary>
    /// Makes a directory of its own below <c>ROOT/tmp</c>. While the holder lives (and its process does) nobody
    /// collects it; disposing the holder removes the directory with all that is in it.
    /// </summary>
    internal string CreateTemporaryDirectory(out IDisposable holder)
    {
        TemporaryDirectory directory = TemporaryDirectory.Create(_layout);
        holder = directory;
        return directory.Path;
    }

    private async Task<StoredImage> ImportCoreAsync(
        string file,
        bool moved,
        string? signaturePath,
        ImportProof? proof,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        string source = options.Source ?? Path.GetFullPath(file);
        string shown = ByteText.Show(System.Text.Encoding.UTF8.GetBytes(source));
        TrustPolicy policy = options.Trust ?? Trust;
        try
        {
            if (!File.Exists(file))
            {
                throw Directory.Exists(file)
                    ? new ImageException(ImageFailure.BadArchive, "it is a directory", "build an image from it first: appc build")
                    : new ImageException(ImageFailure.NotFound, "there is no such file");
            }

            byte[]? signature = null;
            ISignatureCheck? check = null;
            if (policy.SignatureRequired)
            {
                try
                {
                    signature = await ReadSignatureAsync(signaturePath, cancellationToken).ConfigureAwait(false);
                    check = proof is null ? await BeginCheckAsync(signature, policy, options, cancellationToken).ConfigureAwait(false) : null;
                }
                catch (TrustException e) when (policy.Images.Count > 0)
                {
                    proof = proof is null ? ImportProof.Of(e) : proof;
                }
            }
            else
            {
                _log.InsecureImport(shown);
                proof = ImportProof.None;
            }

            using (check)
            {
                return await DedicatedThread.RunAsync(
                    "appc import",
                    () => Import(file, moved, source, signature, check, proof, policy, options, progress, cancellationToken)).ConfigureAwait(false);
            }
        }
        catch (ImageException e)
        {
            throw new ImageException(e.Failure, $"cannot import {shown}: {e.Message}", e.Hint, e);
        }
        catch (TrustException e)
        {
            throw new TrustException(e.Failure, $"cannot import {shown}: {e.Message}", e.Hint, e);
        }
        catch (ManifestException e)
        {
            throw new ManifestException($"cannot import {shown}: {e.Message}", e.Hint, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFaults.From(e, $"cannot import {shown}");
        }
    }

    private StoredImage Import(
        string file,
        bool moved,
        string source,
        byte[]? signature,
        ISignatureCheck? check,
        ImportProof? proof,
        TrustPolicy policy,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        using ImageImport import = new(_layout, source, options, progress, cancellationToken);
        if (moved)
        {
            import.Move(file, check);
        }
        else
        {
            import.Copy(file, check);
        }

        proof ??= ImportProof.From(check!);
        import.Prove(policy, proof);
        import.Extract(_options.RenderTrees);
        if (import.AttributesLeftOut > 0)
        {
            _log.AttributesLeftOut(source, import.AttributesLeftOut, import.AttributeLeftOut!);
        }

        if (_options.RenderTrees && OperatingSystem.IsLinux() && Libc.geteuid() != 0)
        {
            _log.OwnersNotKept(source);
        }

        if (import.Reservation is { } reservation)
        {
            _log.AllowedById(source, import.Id, reservation.Message);
        }

        DateTimeOffset now = _options.TimeProvider.GetUtcNow();
        ImageProvenance provenance = new()
        {
            Source = source,
            Imported = now,
            Latest = options.Latest,
            Insecure = !policy.SignatureRequired,
            Policy = policy,
            Checked = policy.SignatureRequired ? now : null,
            Signers = import.Signers,
        };
        import.WriteRecords(provenance, signature);
        import.Begin(ImportPhase.Publishing);
        return Publish(import, provenance);
    }

    private async Task<ISignatureCheck> BeginCheckAsync(byte[] signature, TrustPolicy policy, ImportOptions options, CancellationToken cancellationToken)
    {
        ISignatureVerifier verifier = _options.Verifier ?? throw new TrustException(
            TrustFailure.NoVerifier,
            "a signature is required, and this program has none that checks signatures",
            "configure a verifier (UseOpenPgp of Appc.Signing), or skip the check for this image explicitly");
        using MemoryStream stream = new(signature, writable: false);
        return await SignerCount.BeginAsync(verifier, policy, stream, options.ExpectedName, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<byte[]> ReadSignatureAsync(string? path, CancellationToken cancellationToken)
    {
        if (path is null || !File.Exists(path))
        {
            throw new TrustException(
                TrustFailure.Unsigned,
                path is null ? "it has no signature" : $"it has no signature: there is no {ByteText.Show(System.Text.Encoding.UTF8.GetBytes(path))}",
                "put the signature (.aci.asc) beside the image, name its file, or skip the check for this image explicitly");
        }

        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await using (file.ConfigureAwait(false))
        {
            byte[] buffer = new byte[LargestSignature + 1];
            int length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length <= LargestSignature
                ? buffer[..length]
                : throw new TrustException(TrustFailure.MalformedSignature, $"its signature file {path} is larger than 1 MiB");
        }
    }
}
