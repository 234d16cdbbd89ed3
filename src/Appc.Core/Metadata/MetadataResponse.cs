using System.Net;
using System.Text;

namespace Appc.Metadata;

/// <summary>What a pod is answered.</summary>
internal sealed record MetadataResponse(HttpStatusCode Status, string ContentType, byte[] Body)
{
    private const string PlainText = "text/plain; charset=us-ascii";

    /// <summary>What can be asked instead; null unless the method was wrong.</summary>
    public string? Allow { get; private init; }

    public static MetadataResponse Json(byte[] body) => new(HttpStatusCode.OK, "application/json", body);

    public static MetadataResponse Text(string text) => new(HttpStatusCode.OK, PlainText, Encoding.ASCII.GetBytes(text));

    /// <summary>Says why not, for whoever looks.</summary>
    public static MetadataResponse Refuse(HttpStatusCode status, string why) => new(status, PlainText, Encoding.ASCII.GetBytes(why + "\n"));

    public static MetadataResponse WrongMethod(string allowed) =>
        Refuse(HttpStatusCode.MethodNotAllowed, "the method must be " + allowed) with { Allow = allowed };
}
