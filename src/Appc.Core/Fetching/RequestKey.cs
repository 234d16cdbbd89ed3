using Appc.Manifests;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>What two calls must agree on to share the work of getting one image.</summary>
internal sealed record RequestKey(
    string Image,
    ImageId? ExpectedId,
    long? ExpectedBytes,
    string? SignaturePath,
    TrustPolicy? Trust,
    PullPolicy PullPolicy,
    bool AllowHttp,
    long DownloadBytes,
    string Limits);
