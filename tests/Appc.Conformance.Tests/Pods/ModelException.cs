namespace Appc.Conformance.Tests.Pods;

/// <summary>Something was seen that the model does not allow.</summary>
internal sealed class ModelException(string message) : Exception(message);
