using System.Net;
using System.Text;
using System.Text.Json;

namespace Appc.Conformance.Tests.Fetching;

/// <summary>The imaginary servers of a discovery case: answers by the very text of the address.</summary>
internal sealed class PagesHandler : HttpMessageHandler
{
    private readonly Dictionary<string, JsonElement> _pages = [];

    public PagesHandler(JsonElement pages)
    {
        foreach (JsonProperty page in pages.EnumerateObject())
        {
            _pages[new Uri(page.Name).AbsoluteUri] = page.Value;
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!_pages.TryGetValue(request.RequestUri!.AbsoluteUri, out JsonElement page))
        {
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound) { Content = new StringContent("") });
        }

        if (page.TryGetProperty("error", out JsonElement error) && error.GetBoolean())
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "the connection failed");
        }

        var response = new HttpResponseMessage((HttpStatusCode)page.GetProperty("status").GetInt32())
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(page.GetProperty("body").GetString()!)),
        };
        if (page.TryGetProperty("location", out JsonElement location))
        {
            response.Headers.TryAddWithoutValidation("Location", location.GetString());
        }

        return Task.FromResult(response);
    }
}
