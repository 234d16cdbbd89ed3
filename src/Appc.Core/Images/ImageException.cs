namespace Appc.Images;

/// <summary>An archive, an image or the image store is at fault.</summary>
public sealed class ImageException : AppcException
{
    /// <summary>Creates the exception.</summary>
    public ImageException(ImageFailure failure, string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException) => Failure = failure;

    /// <summary>The class of the fault.</summary>
    public ImageFailure Failure { get; }

    /// <inheritdoc/>
    public override bool IsTransient => Failure == ImageFailure.InUse;
}
