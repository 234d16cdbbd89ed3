using Appc.Images;
using Appc.Trust;

namespace Appc.Fetching;

/// <content>Addresses: cache, signature, download, import.</content>
internal sealed partial class ImageAcquirer
{
    private async Task<FetchResult> AcquireUrlAsync(ImageRequest request, FetchOptions options, IProgress<FetchProgress> progress, CancellationToken cancellationToken)
    {
        Uri url = request.Url!;
        if (options.PullPolicy != PullPolicy.Update)
        {
            StoredImage? stored = await FindByRecordAsync(request, _records.Read(url), options, cancellationToken).ConfigureAwait(false);
            if (stored is not null)
            {
                return new FetchResult(stored, FetchOrigin.Store);
            }

            if (options.PullPolicy == PullPolicy.Never)
            {
                throw new FetchException(FetchFailure.NotInStore, $"no image of the store came from {request.Text}, and the pull policy forbids the network", "fetch it first, or use the pull policy new");
            }
        }

        var asc = new UriBuilder(url) { Path = url.AbsolutePath + ".asc" };
        return await DownloadAsync(request, url, asc.Uri, options, progress, cancellationToken).ConfigureAwait(false);
    }

    private async Task<FetchResult> DownloadAsync(ImageRequest request, Uri aci, Uri asc, FetchOptions options, IProgress<FetchProgress> progress, CancellationToken cancellationToken)
    {
        SignatureSource? signature = MakeSignature(request, aci, asc, options);
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using DownloadDirectory directory = await DownloadDirectory.OpenAsync(
                store.Root, aci, Time, () => FetchLog.Waiting(http.Log, DisplayText.Clean(aci)), cancellationToken).ConfigureAwait(false);
            return await DownloadAsync(request, aci, signature, directory, options, progress, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<FetchResult> DownloadAsync(
        ImageRequest request,
        Uri aci,
        SignatureSource? signature,
        DownloadDirectory directory,
        FetchOptions options,
        IProgress<FetchProgress> progress,
        CancellationToken cancellationToken)
    {
        RemoteRecord? record = _records.Read(aci);
        StoredImage? stored = await FindByRecordAsync(request, record, options, cancellationToken).ConfigureAwait(false);
        if (stored is not null && (record!.Validators.FreshUntil > Time.GetUtcNow() || (directory.Waited && options.PullPolicy == PullPolicy.New)))
        {
            return new FetchResult(stored, FetchOrigin.Cache);
        }

        var reporter = new ProgressReporter(progress, DisplayText.Clean(aci), Time);
        DownloadedArchive archive;
        try
        {
            archive = await _downloader.DownloadAsync(
                new DownloadRequest(aci, directory.Path)
                {
                    AllowHttp = options.AllowHttp,
                    MaxBytes = options.DownloadBytes,
                    ExpectedBytes = request.ExpectedBytes,
                    Stored = stored is null ? null : record!.Validators,
                    BeginCheck = signature is null ? null : (last, token) =>
                    {
                        reporter.Report("signature", 0, null);
                        return signature.BeginAsync(last, token);
                    },
                    KeepRefused = Policy(options).Images.Count > 0,
                    Progress = (bytes, total) => reporter.Report("downloading", bytes, total),
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or FetchException { IsTransient: true })
        {
            // The next call goes on from here, if the server can tell that nothing changed.
            directory.Keep = PartialFile.IsWorthKeeping(directory.Path);
            throw;
        }

        if (archive.Path is null)
        {
            HttpValidators validators = record!.Validators with { FreshUntil = archive.Validators.FreshUntil };
            Remember(aci, record with { Validators = validators }, directory);
            return new FetchResult(stored!, FetchOrigin.Cache);
        }

        StoredImage image = await ImportAsync(request, aci, signature, archive, directory, options, reporter, cancellationToken).ConfigureAwait(false);
        Remember(aci, new RemoteRecord(image.Id, archive.Validators), directory);
        return new FetchResult(image, FetchOrigin.Download);
    }

    private void Remember(Uri aci, RemoteRecord record, DownloadDirectory directory)
    {
        try
        {
            _records.Write(aci, record, directory.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The image is stored, which is what was asked for; the next update downloads it again.
            FetchLog.NotRemembered(http.Log, DisplayText.Clean(aci), DisplayText.Clean(e.Message));
        }
    }

    private async Task<StoredImage> ImportAsync(
        ImageRequest request,
        Uri aci,
        SignatureSource? signature,
        DownloadedArchive archive,
        DownloadDirectory directory,
        FetchOptions options,
        ProgressReporter reporter,
        CancellationToken cancellationToken)
    {
        var import = new ImportOptions
        {
            Trust = options.Trust,
            ExpectedName = request.Name,
            ExpectedId = request.ExpectedId,
            Source = aci.AbsoluteUri,
            Latest = request.Name is not null && !request.AsksForVersion,
            Limits = options.Limits,
        };
        foreach (Manifests.Label label in request.Labels)
        {
            import.ExpectedLabels.Add(label);
        }

        foreach (Manifests.Label label in request.Platform)
        {
            import.CompatibleLabels.Add(label);
        }

        string? signatureFile = signature is null ? null : await signature.SaveAsync(directory.Path, cancellationToken).ConfigureAwait(false);
        return await store.ImportDownloadedAsync(archive.Path!, signatureFile, archive.Proof, import, new ImportForwarder(reporter), cancellationToken).ConfigureAwait(false);
    }

    private SignatureSource? MakeSignature(ImageRequest request, Uri aci, Uri asc, FetchOptions options)
    {
        TrustPolicy policy = Policy(options);
        if (!policy.SignatureRequired)
        {
            FetchLog.Unchecked(http.Log, request.Text, DisplayText.Clean(aci));
            return null;
        }

        return verifier is null
            ? throw new TrustException(
                TrustFailure.NoVerifier, $"{request.Text} cannot be fetched: a signature is required, and nothing is set up to check one",
                "give the fetcher a verifier (Appc.Signing has one for OpenPGP)")
            : new SignatureSource(http, verifier, policy, request.Name, aci) { Url = asc, FilePath = request.SignaturePath, AllowHttp = options.AllowHttp };
    }

    private TrustPolicy Policy(FetchOptions options) => options.Trust ?? store.Trust;

    /// <summary>The image that came from an address before, if it is still there and would do.</summary>
    private async Task<StoredImage?> FindByRecordAsync(ImageRequest request, RemoteRecord? record, FetchOptions options, CancellationToken cancellationToken)
    {
        if (record is null || (request.ExpectedId is { } expected && expected != record.Id))
        {
            return null;
        }

        StoredImage? stored = await TryGetAsync(record.Id, cancellationToken).ConfigureAwait(false);
        if (stored is null)
        {
            return null;
        }

        bool fits = (request.Name is null || stored.Manifest.Name == request.Name)
            && request.Labels.All(l => stored.Manifest.GetLabel(l.Name.ToString()) == l.Value)
            && request.FitsPlatform(stored.Manifest);
        return fits && await IsAcceptableAsync(stored, options, cancellationToken).ConfigureAwait(false) ? stored : null;
    }
}
