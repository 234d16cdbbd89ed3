namespace Appc.Fetching;

/// <summary>One GET, redirects included.</summary>
internal sealed record HttpAsk(Uri Url)
{
    /// <summary>Whether plain http may be used.</summary>
    public bool AllowHttp { get; init; }

    /// <summary>Adds headers to the request; asked anew for each redirect.</summary>
    public Action<HttpRequestMessage>? Prepare { get; init; }

    /// <summary>Told of each answer that only points elsewhere.</summary>
    public Action<Uri, int>? Redirected { get; init; }

    /// <summary>Told of each request before it is made.</summary>
    public Action<Uri>? Asking { get; init; }
}
