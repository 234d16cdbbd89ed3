namespace Appc.Manifests;

/// <summary>A manifest, or one of the scalar types of the specification, is malformed.</summary>
public sealed class ManifestException : AppcException
{
    /// <summary>Creates the exception.</summary>
    public ManifestException(string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException)
    {
    }
}
