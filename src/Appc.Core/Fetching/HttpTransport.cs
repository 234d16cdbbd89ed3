using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;

namespace Appc.Fetching;

/// <summary>Makes requests by this library's rules: which schemes, which redirects, which credentials, how often again.</summary>
internal sealed class HttpTransport : IDisposable
{
    private readonly HttpClient _client;
    private readonly ImageFetcherOptions _options;
    private readonly ILogger _log;
    private readonly ResiliencePipeline _retry;
    private readonly ResiliencePipeline _retryAnswered;

    public HttpTransport(ImageFetcherOptions options)
    {
        _options = options;
        _log = options.LoggerFactory?.CreateLogger("Appc.Fetching") ?? NullLogger.Instance;
        _client = options.HttpHandler is { } handler
            ? new HttpClient(handler, disposeHandler: false)
            : new HttpClient(HttpHandlers.Create(options), disposeHandler: true);
        _client.Timeout = Timeout.InfiniteTimeSpan;
        _retry = MakeRetry(repeatRefused: true);
        _retryAnswered = MakeRetry(repeatRefused: false);
        if (options.AllowInvalidTls && options.HttpHandler is null)
        {
            FetchLog.TlsUnchecked(_log);
        }
    }

    public ImageFetcherOptions Options => _options;

    public ILogger Log => _log;

    /// <summary>Does something again while it fails for passing reasons, within the limits of the options.</summary>
    /// <param name="action">What is done.</param>
    /// <param name="cancellationToken">Cancels it, and the waits in between.</param>
    /// <param name="repeatRefused">Whether that includes connections that are refused, as while a server starts anew.</param>
    public async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken, bool repeatRefused = true) =>
        await (repeatRefused ? _retry : _retryAnswered)
            .ExecuteAsync(static async (act, token) => await act(token).ConfigureAwait(false), action, cancellationToken).ConfigureAwait(false);

    /// <summary>Asks, follows redirects, and returns the answer, whatever its status, before its body is read.</summary>
    /// <exception cref="FetchException">No answer, or one that breaks a rule.</exception>
    public async Task<HttpAnswer> AskAsync(HttpAsk ask, CancellationToken cancellationToken)
    {
        Uri url = ask.Url;
        bool sameOrigin = true;
        for (int redirects = 0; ; redirects++)
        {
            CheckScheme(url, ask.AllowHttp);
            ask.Asking?.Invoke(url);
            HttpResponseMessage response = await SendAsync(url, ask, sameOrigin, cancellationToken).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location)
            {
                return await OpenAsync(response, url, cancellationToken).ConfigureAwait(false);
            }

            ask.Redirected?.Invoke(url, (int)response.StatusCode);
            response.Dispose();
            if (redirects >= _options.MaxRedirects - 1)
            {
                throw HttpFaults.Bad(ask.Url, string.Create(CultureInfo.InvariantCulture, $"still redirected after {_options.MaxRedirects} requests"));
            }

            Uri next = Follow(url, location);
            sameOrigin &= next.Scheme == url.Scheme && next.Authority == url.Authority;
            url = next;
        }
    }

    /// <summary>Reads a small document whole. The status must be 200.</summary>
    /// <exception cref="FetchException">The document is longer than allowed, or could not be had.</exception>
    public async Task<byte[]> GetDocumentAsync(HttpAsk ask, int maxBytes, CancellationToken cancellationToken)
    {
        using var total = new CancellationTokenSource(_options.DocumentTimeout, _options.TimeProvider);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, total.Token);
        try
        {
            using HttpAnswer answer = await AskAsync(ask, both.Token).ConfigureAwait(false);
            if (answer.Status != HttpStatusCode.OK)
            {
                throw HttpFaults.Status(answer.Url, answer.Message, _options.TimeProvider);
            }

            string? encoding = answer.Message.Content.Headers.ContentEncoding.FirstOrDefault(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase));
            return encoding is null
                ? await ReadDocumentAsync(answer, maxBytes, both.Token).ConfigureAwait(false)
                : throw HttpFaults.Bad(answer.Url, $"it came in the content encoding '{DisplayText.Clean(encoding, 40)}', which was not asked for");
        }
        catch (OperationCanceledException e) when (total.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FetchException(
                FetchFailure.Network, string.Create(CultureInfo.InvariantCulture, $"{DisplayText.Clean(ask.Url)}: not read to its end within {_options.DocumentTimeout.TotalSeconds:0.###} s"), innerException: e);
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<byte[]> ReadDocumentAsync(HttpAnswer answer, int maxBytes, CancellationToken cancellationToken)
    {
        if (answer.Length > maxBytes)
        {
            throw TooLong(answer, maxBytes);
        }

        var document = new byte[(int)Math.Min(answer.Length ?? 16384, maxBytes) + 1];
        int length = 0;
        while (true)
        {
            int count = await answer.ReadAsync(document.AsMemory(length), cancellationToken).ConfigureAwait(false);
            length += count;
            if (count == 0)
            {
                Array.Resize(ref document, length);
                return document;
            }

            if (length > maxBytes)
            {
                throw TooLong(answer, maxBytes);
            }

            if (length == document.Length)
            {
                Array.Resize(ref document, (int)Math.Min(document.Length * 2L, maxBytes + 1L));
            }
        }
    }

    private static FetchException TooLong(HttpAnswer answer, int maxBytes) =>
        HttpFaults.Bad(answer.Url, string.Create(CultureInfo.InvariantCulture, $"the document is longer than {maxBytes} bytes"));

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private static void CheckScheme(Uri url, bool allowHttp)
    {
        if (url.UserInfo.Length > 0)
        {
            throw new FetchException(FetchFailure.NotAllowed, $"{DisplayText.Clean(url)}: an address must not hold a user name or password", "credentials belong in auth.d");
        }

        if (url.Scheme == Uri.UriSchemeHttps || (allowHttp && url.Scheme == Uri.UriSchemeHttp))
        {
            return;
        }

        throw url.Scheme == Uri.UriSchemeHttp
            ? new FetchException(FetchFailure.NotAllowed, $"{DisplayText.Clean(url)}: plain http is not allowed", "allow it for this call if you must (the insecure option http)")
            : new FetchException(FetchFailure.NotAllowed, $"{DisplayText.Clean(url)}: the scheme '{url.Scheme}' is not supported");
    }

    private static Uri Follow(Uri from, Uri location)
    {
        Uri next = location.IsAbsoluteUri ? location : new Uri(from, location);
        if (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp)
        {
            throw HttpFaults.Bad(from, $"the server redirects to the scheme '{DisplayText.Clean(next.Scheme, 40)}'");
        }

        if (from.Scheme == Uri.UriSchemeHttps && next.Scheme == Uri.UriSchemeHttp)
        {
            throw HttpFaults.Bad(from, $"the server redirects from https to plain http ({DisplayText.Clean(next)})");
        }

        return next.UserInfo.Length == 0 ? next : throw HttpFaults.Bad(from, "the server redirects to an address with a user name");
    }

    private async Task<HttpResponseMessage> SendAsync(Uri url, HttpAsk ask, bool sameOrigin, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        ask.Prepare?.Invoke(request);
        if (sameOrigin && url.Scheme == Uri.UriSchemeHttps)
        {
            request.Headers.Authorization = _options.Credentials?.Find(url);
        }

        using var idle = new CancellationTokenSource(_options.IdleTimeout, _options.TimeProvider);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, idle.Token);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (HttpFaults.IsNetwork(e, cancellationToken))
        {
            throw HttpFaults.Wrap(e, url, _options.IdleTimeout);
        }
    }

    private async Task<HttpAnswer> OpenAsync(HttpResponseMessage response, Uri url, CancellationToken cancellationToken)
    {
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return new HttpAnswer(response, url, body, _options.IdleTimeout, _options.TimeProvider);
        }
        catch (Exception e) when (HttpFaults.IsNetwork(e, cancellationToken))
        {
            response.Dispose();
            throw HttpFaults.Wrap(e, url, _options.IdleTimeout);
        }
    }

    private ResiliencePipeline MakeRetry(bool repeatRefused)
    {
        if (_options.MaxRetries <= 0)
        {
            return ResiliencePipeline.Empty;
        }

        return new ResiliencePipelineBuilder { TimeProvider = _options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = _options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = _options.RetryDelay,
                MaxDelay = _options.MaxRetryDelay,
                ShouldHandle = args => ValueTask.FromResult(
                    args.Outcome.Exception is FetchException { IsTransient: true } e && (repeatRefused || !e.Refused) && !(e.RetryAfter > _options.MaxRetryDelay)),
                DelayGenerator = args => ValueTask.FromResult((args.Outcome.Exception as FetchException)?.RetryAfter),
                OnRetry = args =>
                {
                    FetchLog.Retrying(_log, args.Outcome.Exception?.Message ?? "", args.RetryDelay.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }
}
