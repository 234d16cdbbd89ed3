using System.Globalization;
using System.Runtime.ExceptionServices;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>Fetches what an image depends on, and what that depends on, each under its own name, signature and keys.</summary>
internal sealed class DependencyFetcher(
    Func<ImageRequest, CancellationToken, Task<FetchResult>> acquire, FetchOptions options, IReadOnlyList<Label> defaultPlatform)
{
    private readonly Dictionary<RequestKey, FetchResult> _byRequest = [];
    private readonly Dictionary<ImageId, FetchResult> _found = [];
    private readonly Dictionary<ImageId, List<ImageId>> _needs = [];

    /// <summary>Fetches level by level, each level's images at the same time, within the limit on downloads.</summary>
    public async Task<IReadOnlyList<FetchResult>> FetchAsync(StoredImage top, CancellationToken cancellationToken)
    {
        List<StoredImage> level = [top];
        while (level.Count > 0)
        {
            List<(ImageId Parent, ImageRequest Request, RequestKey Key)> wanted =
                [.. level.SelectMany(p => p.Manifest.Dependencies.Select(d => RequestFor(p, d)).Select(r => (p.Id, r, r.Key(options))))];
            List<ImageRequest> missing = [.. wanted.Where(w => !_byRequest.ContainsKey(w.Key)).DistinctBy(w => w.Key).Select(w => w.Request)];
            if (_byRequest.Count + missing.Count > options.MaxDependencies)
            {
                throw new FetchException(
                    FetchFailure.BadDependencies, string.Create(CultureInfo.InvariantCulture, $"{top.Manifest.Name} needs more than {options.MaxDependencies} images"),
                    "raise the limit on dependencies if that is meant");
            }

            foreach ((ImageRequest request, FetchResult result) in await AcquireAsync(missing, cancellationToken).ConfigureAwait(false))
            {
                _byRequest.Add(request.Key(options), result);
            }

            level = [];
            foreach ((ImageId parent, _, RequestKey key) in wanted)
            {
                FetchResult result = _byRequest[key];
                if (!_needs.TryGetValue(parent, out List<ImageId>? needs))
                {
                    _needs.Add(parent, needs = []);
                }

                needs.Add(result.Image.Id);
                if (result.Image.Id != top.Id && _found.TryAdd(result.Image.Id, result))
                {
                    level.Add(result.Image);
                }
            }
        }

        ThrowIfCircular(top);
        return _found.Values.ToArray();
    }

    /// <summary>Acquires all; when one fails, the others are stopped, and its failure is the one that is told.</summary>
    private async Task<IReadOnlyList<(ImageRequest Request, FetchResult Result)>> AcquireAsync(List<ImageRequest> requests, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? first = null;
        (ImageRequest, FetchResult)?[] results = await Task.WhenAll(requests.Select(GetAsync)).ConfigureAwait(false);
        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        return [.. results.Select(r => r!.Value)];

        async Task<(ImageRequest, FetchResult)?> GetAsync(ImageRequest request)
        {
            try
            {
                return (request, await acquire(request, stop.Token).ConfigureAwait(false));
            }
#pragma warning disable CA1031 // Thrown above, once all have ended.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (Interlocked.CompareExchange(ref first, e, null) is null)
                {
                    await stop.CancelAsync().ConfigureAwait(false);
                }

                return null;
            }
        }
    }

    private ImageRequest RequestFor(StoredImage parent, Dependency dependency) => new()
    {
        Name = dependency.ImageName,
        Labels = dependency.Labels,
        ExpectedId = dependency.ImageId,
        ExpectedBytes = dependency.Size is > 0 ? dependency.Size : null,
        Platform = PlatformFor(parent.Manifest, dependency.Labels, defaultPlatform),
    };

    /// <summary>The os and arch that a dependency does not name are those of the image that needs it, or else the call's.</summary>
    internal static IReadOnlyList<Label> PlatformFor(ImageManifest? parent, IReadOnlyList<Label> asked, IReadOnlyList<Label> defaults) =>
        [.. defaults.Where(d => !asked.Any(a => a.Name == d.Name)).Select(d => parent?.GetLabel(d.Name.ToString()) is { } value ? d with { Value = value } : d)];

    private void ThrowIfCircular(StoredImage top)
    {
        // Depth first, without recursion: an image that is met again while it is still open closes a circle.
        var state = new Dictionary<ImageId, bool> { [top.Id] = true };
        var path = new Stack<(ImageId Id, int Next)>([(top.Id, 0)]);
        while (path.TryPop(out (ImageId Id, int Next) step))
        {
            List<ImageId>? needs = _needs.GetValueOrDefault(step.Id);
            if (needs is null || step.Next == needs.Count)
            {
                state[step.Id] = false;
                continue;
            }

            path.Push((step.Id, step.Next + 1));
            ImageId child = needs[step.Next];
            if (!state.TryGetValue(child, out bool open))
            {
                state[child] = true;
                path.Push((child, 0));
            }
            else if (open)
            {
                IEnumerable<ImageId> circle = path.Select(p => p.Id).TakeWhile(id => id != child).Reverse();
                string names = string.Join(" -> ", circle.Prepend(child).Append(child).Select(id => id == top.Id ? top.Manifest.Name : _found[id].Image.Manifest.Name));
                throw new FetchException(FetchFailure.BadDependencies, $"the dependencies of {top.Manifest.Name} run in a circle: {names}", "the publisher of these images must break it");
            }
        }
    }
}
