using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An amount of a resource that an app or pod gets. See <c>ace.md: Resource Isolators</c>.</summary>
public abstract record ResourceIsolator : Isolator
{
    private protected ResourceIsolator(string name, bool isDefault, Quantity? request, Quantity? limit)
        : base(name, writer => Write(writer, isDefault, request, limit))
    {
        Request = request;
        Limit = limit;
    }

    private protected ResourceIsolator(IsolatorSource source, Quantity? request, Quantity? limit)
        : base(source)
    {
        Request = request;
        Limit = limit;
    }

    /// <summary>The least that is guaranteed; null if it is not said, which means <see cref="Limit"/>.</summary>
    public Quantity? Request { get; }

    /// <summary>The most that can be used; null if it is not said.</summary>
    public Quantity? Limit { get; }

    private static void Write(System.Text.Json.Utf8JsonWriter writer, bool isDefault, Quantity? request, Quantity? limit)
    {
        writer.WriteStartObject();
        if (isDefault)
        {
            writer.WriteBoolean("default"u8, true);
        }

        if (request is not null)
        {
            writer.WriteString("request"u8, request.ToString());
        }

        if (limit is not null)
        {
            writer.WriteString("limit"u8, limit.ToString());
        }

        writer.WriteEndObject();
    }
}
