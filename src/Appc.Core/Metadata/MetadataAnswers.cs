using System.Net;
using System.Text;
using System.Text.Json;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Metadata;

/// <summary>What the service says of a pod (ace.md, "Pod Metadata", "App Metadata", "Identity Endpoint"): as its directory and the store have it at that moment.</summary>
internal sealed class MetadataAnswers(ImageStore images, MetadataKey key)
{
    private const string Base = "/acMetadata/v1/";

    private static readonly MetadataResponse s_unknown = MetadataResponse.Refuse(HttpStatusCode.NotFound, "there is nothing of this name");

    /// <summary>Answers a pod.</summary>
    /// <param name="pod">The pod, which has proven that it is the one.</param>
    /// <param name="path">What follows the pod's own URL.</param>
    /// <param name="request">The request.</param>
    public MetadataResponse Answer(PodLocation pod, string path, MetadataRequest request)
    {
        string[] words = path.StartsWith(Base, StringComparison.Ordinal) ? path[Base.Length..].TrimEnd('/').Split('/') : [];
        return words switch
        {
            ["pod", "annotations"] => Get(request, () => Annotations(ReadManifest(pod).Annotations)),
            ["pod", "manifest"] => Get(request, () => MetadataResponse.Json(ReadManifest(pod).ToJsonBytes())),
            ["pod", "uuid"] => Get(request, () => MetadataResponse.Text(pod.Uuid)),
            ["pod", "hmac", "sign"] => Post(request, fields => Sign(pod, fields)),
            ["pod", "hmac", "verify"] => Post(request, Verify),
            ["apps", var app, "annotations"] => Get(request, () => WithApp(pod, app, MergedAnnotations)),
            ["apps", var app, "image", "manifest"] => Get(request, () => WithApp(pod, app, a => images.TryReadManifest(a.Image.Id) is { } manifest ? MetadataResponse.Json(manifest) : s_unknown)),
            ["apps", var app, "image", "id"] => Get(request, () => WithApp(pod, app, a => MetadataResponse.Text(a.Image.Id.ToString()))),
            _ => s_unknown,
        };
    }

    private static MetadataResponse Get(MetadataRequest request, Func<MetadataResponse> answer) =>
        request.Method is "GET" or "HEAD" ? answer() : MetadataResponse.WrongMethod("GET");

    private static MetadataResponse Post(MetadataRequest request, Func<IReadOnlyDictionary<string, byte[]>, MetadataResponse> answer) =>
        request.Method != "POST" ? MetadataResponse.WrongMethod("POST")
        : !request.ContentType.Equals(FormFields.ContentType, StringComparison.OrdinalIgnoreCase)
            ? MetadataResponse.Refuse(HttpStatusCode.UnsupportedMediaType, "the body must be a form of the type " + FormFields.ContentType)
        : FormFields.TryRead(request.Body) is { } fields ? answer(fields)
        : MetadataResponse.Refuse(HttpStatusCode.BadRequest, "the form is malformed, or has a field twice");

    private static MetadataResponse Missing(string field) => MetadataResponse.Refuse(HttpStatusCode.BadRequest, $"the form has no field '{field}'");

    private static PodManifest ReadManifest(PodLocation pod) => PodFiles.ReadManifest(pod.Directory);

    private static MetadataResponse WithApp(PodLocation pod, string name, Func<RuntimeApp, MetadataResponse> answer) =>
        ReadManifest(pod).Apps.FirstOrDefault(a => a.Name.ToString() == name) is { } app ? answer(app) : s_unknown;

    private static MetadataResponse Annotations(IEnumerable<Annotation> annotations)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartArray();
            foreach (Annotation annotation in annotations)
            {
                json.WriteStartObject();
                json.WriteString("name", annotation.Name.ToString());
                json.WriteString("value", annotation.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return MetadataResponse.Json(text.ToArray());
    }

    /// <summary>Those of the image, and over them those of the app in the pod.</summary>
    private MetadataResponse MergedAnnotations(RuntimeApp app)
    {
        IReadOnlyList<Annotation> own = app.Annotations;
        IEnumerable<Annotation> below = images.TryReadManifest(app.Image.Id) is { } manifest ? ImageManifest.Parse(manifest).Annotations : [];
        return Annotations([.. below.Where(b => own.All(o => o.Name != b.Name)), .. own]);
    }

    private MetadataResponse Sign(PodLocation pod, IReadOnlyDictionary<string, byte[]> fields) =>
        fields.TryGetValue("content", out byte[]? content) ? MetadataResponse.Text(Convert.ToBase64String(key.Sign(Uuid.Parse(pod.Uuid), content))) : Missing("content");

    private MetadataResponse Verify(IReadOnlyDictionary<string, byte[]> fields)
    {
        if (!fields.TryGetValue("content", out byte[]? content))
        {
            return Missing("content");
        }

        if (!fields.TryGetValue("uuid", out byte[]? uuid))
        {
            return Missing("uuid");
        }

        if (!fields.TryGetValue("signature", out byte[]? signature))
        {
            return Missing("signature");
        }

        // What is no UUID or no base64 was signed by nobody.
        return Uuid.TryParse(Encoding.UTF8.GetString(uuid), out Uuid? pod)
            && TryDecode(Encoding.UTF8.GetString(signature)) is { } bytes
            && key.Verify(pod, content, bytes)
            ? MetadataResponse.Text("OK\n")
            : MetadataResponse.Refuse(HttpStatusCode.Forbidden, "the signature is not one of this pod for this content");
    }

    private static byte[]? TryDecode(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? bytes[..length] : null;
    }
}
