using System.Globalization;
using Appc.Images;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>One image that is wanted: what the user wrote, or what a manifest depends on.</summary>
internal sealed record ImageRequest
{
    /// <summary>The name; null with an address, whose archive may have any name.</summary>
    public AcIdentifier? Name { get; init; }

    /// <summary>Labels that were asked for in so many words: the manifest must have them.</summary>
    public IReadOnlyList<Label> Labels { get; init; } = [];

    /// <summary>Labels that were filled in: a manifest that has them must have these values.</summary>
    public IReadOnlyList<Label> Platform { get; init; } = [];

    /// <summary>The archive's address; null with a name.</summary>
    public Uri? Url { get; init; }

    /// <summary>The id that it must have; null if any will do.</summary>
    public ImageId? ExpectedId { get; init; }

    /// <summary>The number of bytes that the archive must have; null if any will do.</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>A file to read the signature from.</summary>
    public string? SignaturePath { get; init; }

    public bool AsksForVersion => Labels.Any(l => l.Name.ToString() == "version");

    /// <summary>How it is shown.</summary>
    public string Text => Url is { } url ? DisplayText.Clean(url) : Name + string.Concat(Labels.Select(l => $",{l.Name}={DisplayText.Clean(l.Value, 60)}"));

    /// <summary>
    /// What tells it and its options apart from others, so that the same work is done once. Policies are compared as
    /// values: two that might differ in anything never share a download.
    /// </summary>
    public RequestKey Key(FetchOptions options) => new(
        string.Join('\n', [
            Url?.AbsoluteUri ?? "", Name?.ToString() ?? "", .. Labels.Select(l => $"{l.Name}={l.Value}"), "", .. Platform.Select(l => $"{l.Name}={l.Value}"),
        ]),
        ExpectedId,
        ExpectedBytes,
        SignaturePath,
        options.Trust,
        options.PullPolicy,
        options.AllowHttp,
        options.DownloadBytes,
        LimitsKey(options.Limits));

    private static string LimitsKey(ArchiveLimits limits) => string.Create(
        CultureInfo.InvariantCulture, $"{limits.ExpandedBytes} {limits.Entries} {limits.Ratio} {limits.PathBytes} {limits.ManifestBytes} {limits.ExtendedHeaderBytes} {limits.AllowZstd}");

    /// <summary>Whether an image's labels fit what was filled in.</summary>
    public bool FitsPlatform(ImageManifest manifest) => Platform.All(l => manifest.GetLabel(l.Name.ToString()) is not { } value || value == l.Value);
}
