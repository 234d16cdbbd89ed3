using System.Text.Json.Serialization;

namespace Appc.PodStress;

/// <summary>How commands and answers are written: compiled, since a worker lives for seconds.</summary>
[JsonSerializable(typeof(PodCommand))]
[JsonSerializable(typeof(PodAnswer))]
internal sealed partial class PodJson : JsonSerializerContext;
