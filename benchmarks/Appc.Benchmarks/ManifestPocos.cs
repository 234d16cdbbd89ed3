using System.Text.Json;
using System.Text.Json.Serialization;

namespace Appc.Benchmarks;

// What System.Text.Json is measured with: the members of an image manifest and nothing else.
internal sealed class ImagePoco
{
    public string? AcKind { get; set; }
    public string? AcVersion { get; set; }
    public string? Name { get; set; }
    public List<PairPoco>? Labels { get; set; }
    public AppPoco? App { get; set; }
    public List<DependencyPoco>? Dependencies { get; set; }
    public List<string>? PathWhitelist { get; set; }
    public List<PairPoco>? Annotations { get; set; }
}

internal sealed class PairPoco
{
    public string? Name { get; set; }
    public string? Value { get; set; }
}

internal sealed class AppPoco
{
    public List<string>? Exec { get; set; }
    public string? User { get; set; }
    public string? Group { get; set; }

    [JsonPropertyName("supplementaryGIDs")]
    public List<long>? SupplementaryGids { get; set; }
    public List<HandlerPoco>? EventHandlers { get; set; }
    public string? WorkingDirectory { get; set; }
    public List<PairPoco>? Environment { get; set; }
    public List<IsolatorPoco>? Isolators { get; set; }
    public List<MountPointPoco>? MountPoints { get; set; }
    public List<PortPoco>? Ports { get; set; }
}

internal sealed class HandlerPoco
{
    public string? Name { get; set; }
    public List<string>? Exec { get; set; }
}

internal sealed class IsolatorPoco
{
    public string? Name { get; set; }
    public JsonElement Value { get; set; }
}

internal sealed class MountPointPoco
{
    public string? Name { get; set; }
    public string? Path { get; set; }
    public bool ReadOnly { get; set; }
}

internal sealed class PortPoco
{
    public string? Name { get; set; }
    public string? Protocol { get; set; }
    public int Port { get; set; }
    public int Count { get; set; }
    public bool SocketActivated { get; set; }
}

internal sealed class DependencyPoco
{
    public string? ImageName { get; set; }

    [JsonPropertyName("imageID")]
    public string? ImageId { get; set; }
    public List<PairPoco>? Labels { get; set; }
    public long Size { get; set; }
}

[JsonSerializable(typeof(ImagePoco))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class PocoContext : JsonSerializerContext;
