namespace Appc.Aot.Faults;

/// <summary>Something that must hold after a fault does not.</summary>
internal sealed class FaultFoundException(string message) : Exception(message);
