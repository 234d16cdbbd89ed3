using System.Text.Json.Serialization;
using Appc.Stage1;
using Appc.Trust;

namespace Appc.Pods;

/// <summary>What a pod's directory holds beside its manifest: <c>options.json</c>.</summary>
internal sealed record PodRecord
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required string Stage1 { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required Stage1Options Options { get; init; }

    public required IReadOnlyList<PodRecordApp> Apps { get; init; }

    public string? Name { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public PodLifetime Lifetime { get; init; }

    public bool RemoveOnExit { get; init; }

    /// <summary>Whether apps come and go while it runs.</summary>
    public bool Mutable { get; init; }

    /// <summary>Whether an app is refused, at the pod's start or later, if one of its isolators cannot be enforced.</summary>
    public bool Strict { get; init; }

    /// <summary>The isolators that are not enforced; null if all are.</summary>
    public IReadOnlyList<PodRecordIsolator>? Unenforced { get; init; }

    /// <summary>What must be proven about the images when the pod starts, unless whoever starts it says something else.</summary>
    public TrustPolicy Trust { get; init; } = TrustPolicy.RequireSignature;
}

/// <summary>Which trees an app is stacked from, and which images must therefore stay.</summary>
/// <param name="Name">Name of the app.</param>
/// <param name="Layers">The trees, the lowest first.</param>
/// <param name="ImageIds">The images.</param>
/// <param name="Volumes">Volumes that came with the app when it was added to a running pod, and go with it; null for none.</param>
internal sealed record PodRecordApp(string Name, IReadOnlyList<string> Layers, IReadOnlyList<string> ImageIds, IReadOnlyList<string>? Volumes = null);

/// <summary>An isolator that is not enforced.</summary>
/// <param name="App">The app that it is of; null for the whole pod.</param>
/// <param name="Position">Its place among those of the app, or the pod, in the manifest.</param>
/// <param name="Reason">Why it is not enforced.</param>
internal sealed record PodRecordIsolator(string? App, int Position, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, Converters = [typeof(TrustPolicyJson)])]
[JsonSerializable(typeof(PodRecord))]
internal sealed partial class PodRecordContext : JsonSerializerContext;
