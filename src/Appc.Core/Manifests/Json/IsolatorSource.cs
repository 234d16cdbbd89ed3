namespace Appc.Manifests.Json;

/// <summary>Name and value of an isolator whose value has been read and found valid.</summary>
internal readonly record struct IsolatorSource(AcIdentifier Name, string ValueJson);
