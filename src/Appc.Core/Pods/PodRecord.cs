using System.Text.Json.Serialization;
using Appc.Stage1;

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

    public bool RemoveOnExit { get; init; }
}

/// <summary>Which trees an app is stacked from, and which images must therefore stay.</summary>
internal sealed record PodRecordApp(string Name, IReadOnlyList<string> Layers, IReadOnlyList<string> ImageIds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(PodRecord))]
internal sealed partial class PodRecordContext : JsonSerializerContext;
