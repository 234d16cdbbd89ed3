namespace Appc.Trust;

/// <summary>Why an image is not trusted.</summary>
public enum TrustFailure
{
    /// <summary>There is no signature, and the policy asks for one.</summary>
    Unsigned,

    /// <summary>The signature file cannot be read as a detached OpenPGP signature.</summary>
    MalformedSignature,

    /// <summary>No trusted key made the signature.</summary>
    UnknownKey,

    /// <summary>The key is trusted, but not for this image name.</summary>
    WrongPrefix,

    /// <summary>The key or one of its subkeys is expired, revoked, too weak or not meant for signing.</summary>
    KeyNotUsable,

    /// <summary>The signature does not fit the bytes of the image.</summary>
    BadSignature,

    /// <summary>The signature is expired, from the future, or made with an algorithm that is not accepted.</summary>
    SignatureNotAcceptable,

    /// <summary>No verifier was configured, and the policy asks for a signature.</summary>
    NoVerifier,

    /// <summary>The keystore or a key file is at fault.</summary>
    Keystore,

    /// <summary>It is signed by trusted keys, but by fewer, or by others, than the policy asks for.</summary>
    TooFewSigners,
}

/// <summary>A signature, a key or the keystore is at fault; the image does not run.</summary>
public sealed class TrustException : AppcException
{
    /// <summary>Creates the exception.</summary>
    public TrustException(TrustFailure failure, string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException) => Failure = failure;

    /// <summary>The class of the fault.</summary>
    public TrustFailure Failure { get; }
}
