namespace Appc.Fetching;

/// <summary>Discovery or a download failed.</summary>
public sealed class FetchException : AppcException
{
    private readonly bool _permanent;

    /// <summary>Creates the exception.</summary>
    public FetchException(FetchFailure failure, string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException) => Failure = failure;

    internal FetchException(FetchFailure failure, string message, string? hint, Exception? innerException, bool permanent)
        : this(failure, message, hint, innerException) => _permanent = permanent;

    /// <summary>The class of the fault.</summary>
    public FetchFailure Failure { get; }

    /// <summary>The server's status, with <see cref="FetchFailure.HttpStatus"/>.</summary>
    public int? StatusCode { get; internal init; }

    /// <summary>How long the server asked to wait before the next attempt; null if it did not.</summary>
    public TimeSpan? RetryAfter { get; internal init; }

    /// <summary>How the image was looked for; null where no discovery took place.</summary>
    public DiscoveryResult? Discovery { get; internal init; }

    /// <summary>Whether nobody listens at the other end.</summary>
    internal bool Refused { get; init; }

    /// <inheritdoc/>
    public override bool IsTransient => !_permanent && Failure switch
    {
        FetchFailure.Network => true,
        FetchFailure.HttpStatus => StatusCode is 202 or 408 or 425 or 429 or 500 or 502 or 503 or 504,
        _ => false,
    };
}
