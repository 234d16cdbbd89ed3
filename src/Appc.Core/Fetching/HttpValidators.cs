using System.Net.Http.Headers;

namespace Appc.Fetching;

/// <summary>What a server said about a representation, so that it can later be asked for changes or for the rest.</summary>
internal sealed record HttpValidators(string? ETag, string? LastModified, DateTimeOffset? FreshUntil)
{
    public static HttpValidators None { get; } = new(null, null, null);

    /// <summary>Whether two answers with these validators have the same bytes, so that a part can be continued.</summary>
    public bool IsStrong => StrongTag is not null || LastModified is not null;

    private string? StrongTag => ETag is { } tag && !tag.StartsWith("W/", StringComparison.Ordinal) ? tag : null;

    public static HttpValidators Read(HttpResponseMessage response, TimeProvider time)
    {
        CacheControlHeaderValue? cache = response.Headers.CacheControl;
        TimeSpan age = response.Headers.Age ?? TimeSpan.Zero;
        bool fresh = cache is { NoCache: false, NoStore: false, MaxAge: { } maxAge } && maxAge > age;
        return new HttpValidators(
            response.Headers.ETag?.ToString(),
            response.Content.Headers.LastModified?.ToString("r"),
            fresh ? time.GetUtcNow() + (cache!.MaxAge!.Value - age) : null);
    }

    /// <summary>These, and the others' where an answer about the same bytes left some out.</summary>
    public HttpValidators OrElse(HttpValidators others) => this with { ETag = ETag ?? others.ETag, LastModified = LastModified ?? others.LastModified };

    public void AskIfChanged(HttpRequestMessage request)
    {
        if (ETag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", ETag);
        }
        else if (LastModified is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Modified-Since", LastModified);
        }
    }

    public void AskForRest(HttpRequestMessage request, long offset)
    {
        request.Headers.Range = new RangeHeaderValue(offset, null);
        request.Headers.TryAddWithoutValidation("If-Range", StrongTag ?? LastModified);
    }

    /// <summary>Whether an answer can be of the same bytes. A server that repeats no validator is taken at its word (206).</summary>
    public bool MayContinue(HttpValidators answer) =>
        (StrongTag is null || answer.ETag is null || StrongTag == answer.ETag)
        && (LastModified is null || answer.LastModified is null || LastModified == answer.LastModified);
}
