using Appc.Images.Rendering;
using Appc.Images.Verification;
using Appc.Linux;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Images;

/// <content>Looking whether what is stored is still what was signed.</content>
public sealed partial class ImageStore
{
    /// <summary>
    /// Reads an image's archive anew, down to its id, and holds everything else against it: signature, manifest, every file
    /// of the tree with content, owner, mode, time, attributes and links, and the trees rendered from it. What is wrong is
    /// a finding, not an exception. Takes the shared lock only, and does not count as a use.
    /// </summary>
    /// <param name="id">The image.</param>
    /// <param name="options">What to look at; null means the defaults.</param>
    /// <param name="progress">Told how far it has come, from other threads than the caller's.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ImageException">The image is not in the store, or is being removed.</exception>
    public async Task<ImageVerificationReport> VerifyAsync(
        ImageId id, ImageVerifyOptions? options = null, IProgress<ImageVerifyProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        options ??= new ImageVerifyOptions();
        List<ImageId> ids = [id];
        if (options.Dependencies)
        {
            HashSet<ImageId> below = await Task.Run(() => Dependencies.Closure(ListAll(cancellationToken), id), cancellationToken).ConfigureAwait(false);
            ids.AddRange(below.Where(i => i != id).Order());
        }

        ImageVerificationReport report = await VerifyEachAsync(ids, options, progress, cancellationToken).ConfigureAwait(false);
        return report.Images.Count > 0 && report.Images[0].Id == id ? report : throw NotFound(id.ToString());
    }

    /// <summary>Verifies every image of the store, as <see cref="VerifyAsync"/> does one. What is removed meanwhile is left out.</summary>
    /// <param name="options">What to look at; null means the defaults.</param>
    /// <param name="progress">Told how far it has come, from other threads than the caller's.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ImageException">The store cannot be listed.</exception>
    public async Task<ImageVerificationReport> VerifyAllAsync(
        ImageVerifyOptions? options = null, IProgress<ImageVerifyProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        List<ImageId> ids = await Task.Run(ListIds, cancellationToken).ConfigureAwait(false);
        ids.Sort();
        return await VerifyEachAsync(ids, options ?? new ImageVerifyOptions(), progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Computes the digest of an image's own tree as it is on disk (<c>sha256-…</c>). It covers names, types, modes, owners,
    /// times, contents, links, device numbers and extended attributes; the rule is in docs/images.md.
    /// </summary>
    /// <exception cref="ImageException">The image is not in the store, has no tree, or cannot be read.</exception>
    public Task<string> GetTreeDigestAsync(ImageId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return DedicatedThread.RunAsync("appc digest", () =>
        {
            using DirectoryLock held = Wait(_layout.Image(id), exclusive: false) ?? throw NotFound(id.ToString());
            try
            {
                using Fd root = OpenTree(id);
                using TreeDigester digester = new(cancellationToken);
                return digester.Compute(root);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw StorageFaults.From(e, $"the tree of image {id} cannot be read");
            }
        });
    }

    private Fd OpenTree(ImageId id)
    {
        string tree = Path.Combine(_layout.Image(id), StoreLayout.TreeDirectory);
        return OperatingSystem.IsLinux() && Directory.Exists(tree) ? Fd.OpenDirectory(tree) : throw NoTree(id);
    }

    private async Task<ImageVerificationReport> VerifyEachAsync(
        List<ImageId> ids, ImageVerifyOptions options, IProgress<ImageVerifyProgress>? progress, CancellationToken cancellationToken)
    {
        List<ImageVerification> images = [];
        for (int i = 0; i < ids.Count; i++)
        {
            ImageId id = ids[i];
            int number = i + 1;
            Action<long, long>? report = progress is null
                ? null
                : (bytes, total) => progress.Report(new ImageVerifyProgress(id, number, ids.Count, bytes, total));
            if (await VerifyOneAsync(id, options, report, cancellationToken).ConfigureAwait(false) is { } image)
            {
                images.Add(image);
            }
        }

        return new ImageVerificationReport { Images = images };
    }

    /// <summary>Verifies one image; null if it is not there, or goes.</summary>
    private async Task<ImageVerification?> VerifyOneAsync(
        ImageId id, ImageVerifyOptions options, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        using DirectoryLock? held = await TryHoldAsync(id, cancellationToken).ConfigureAwait(false);
        if (held is null)
        {
            return null;
        }

        ImageVerifier verifier = new(_layout, id, _options.RenderTrees, options, progress, cancellationToken);
        using ISignatureCheck? check = await BeginCheckAsync(id, options, verifier.Findings, cancellationToken).ConfigureAwait(false);
        return await DedicatedThread.RunAsync("appc verify", () =>
        {
            try
            {
                verifier.Verify(check);
                VerifyRendered(id, verifier, cancellationToken);
                return verifier.Report();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw StorageFaults.From(e, $"image {id} cannot be verified");
            }
        }).ConfigureAwait(false);
    }

    private async Task<ISignatureCheck?> BeginCheckAsync(
        ImageId id, ImageVerifyOptions options, FindingCollector findings, CancellationToken cancellationToken)
    {
        string signature = Path.Combine(_layout.Image(id), StoreLayout.SignatureFile);
        if (_options.Verifier is not { } verifier || !options.Trust.SignatureRequired || !File.Exists(signature))
        {
            return null;
        }

        try
        {
            using MemoryStream stream = new(await ReadSignatureAsync(signature, cancellationToken).ConfigureAwait(false), writable: false);
            return await verifier.BeginAsync(stream, imageName: null, cancellationToken).ConfigureAwait(false);
        }
        catch (TrustException e)
        {
            findings.Add(ImagePart.Signature, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            findings.Add(ImagePart.Signature, $"cannot be read: {e.Message}");
        }

        return null;
    }

    /// <summary>Renders each tree that is kept with an image anew, and compares. Needs the other images, whose trees are verified with them.</summary>
    private void VerifyRendered(ImageId id, ImageVerifier verifier, CancellationToken cancellationToken)
    {
        string parent = Path.Combine(_layout.Image(id), StoreLayout.RenderedDirectory);
        if (!OperatingSystem.IsLinux() || !Directory.Exists(parent))
        {
            return;
        }

        foreach (string path in Directory.EnumerateDirectories(parent).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string key = Path.GetFileName(path);
            using HeldImages? held = FindSources(id, key, parent, cancellationToken);
            if (held is null)
            {
                verifier.Unchecked.Add($"{StoreLayout.RenderedDirectory}/{key}");
                continue;
            }

            string shown = $"{StoreLayout.RenderedDirectory}/{key}";
            try
            {
                using TemporaryDirectory work = TemporaryDirectory.Create(_layout);
                using Fd expected = Fd.OpenDirectory(new TreeRenderer(work.Path, cancellationToken).Render(held.Tree));
                using Fd actual = Fd.OpenDirectory(path);
                new TreeComparer(shown, verifier.Findings, cancellationToken).Compare(expected, actual);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                verifier.Findings.Add(ImagePart.Rendered, shown, $"cannot be compared: {e.Message}");
            }
        }
    }

    /// <summary>Finds and holds the images that a rendered tree was made of; null if one of them is not there, or not known.</summary>
    private HeldImages? FindSources(ImageId id, string key, string parent, CancellationToken cancellationToken)
    {
        try
        {
            if (ImageRecord.TryLoad(_layout, id) is not { } top)
            {
                return null;
            }

            DependencyTree? tree = RenderedRecord.Read(Path.Combine(parent, key + StoreLayout.RenderedRecordSuffix), key, i => ImageRecord.TryLoad(_layout, i));
            tree ??= ResolveDependencies(top, cancellationToken);
            return tree.Key == key ? HeldImages.TryTake(tree, i => Wait(_layout.Image(i), exclusive: false)) : null;
        }
        catch (ImageException)
        {
            return null;
        }
    }
}
