using System.Text.Json;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>
/// What a pod's status needs of its record and its manifest. Lists read it of every pod, so it is picked out of the text
/// without an object for each of the rest.
/// </summary>
internal sealed record PodOutline
{
    /// <summary>A pod of which nothing can be read.</summary>
    public static readonly PodOutline Unreadable = new();

    public string Stage1 { get; private init; } = string.Empty;

    public DateTimeOffset? Created { get; private init; }

    public string? Name { get; private init; }

    public IReadOnlyDictionary<string, string>? Labels { get; private init; }

    public bool Mutable { get; private init; }

    public IReadOnlyList<PodOutlineApp> Apps { get; private init; } = [];

    /// <summary>The same of a pod whose files were read in full.</summary>
    public static PodOutline Of(PodRecord record, PodManifest manifest) => new()
    {
        Stage1 = record.Stage1,
        Created = record.Created,
        Name = record.Name,
        Labels = record.Labels,
        Mutable = record.Mutable,
        Apps = [.. manifest.Apps.Select(a => new PodOutlineApp(a.Name, a.Image.Id, Stage1App.Announces(a), RestartAnnotations.Find(a) is not null))],
    };

    /// <summary>Reads both files; one that is missing, damaged or of a newer version counts as not there.</summary>
    public static PodOutline Read(byte[]? record, byte[]? manifest) =>
        record is null || Try(record, ReadRecord) is not { } outline ? Unreadable
            : manifest is null || Try(manifest, ReadApps) is not { } apps ? outline
            : outline with { Apps = apps };

    private static T? Try<T>(byte[] text, Func<byte[], T?> read)
        where T : class
    {
        try
        {
            return read(text);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static PodOutline? ReadRecord(byte[] text)
    {
        string? stage1 = null;
        DateTimeOffset? created = null;
        string? name = null;
        Dictionary<string, string>? labels = null;
        bool mutable = false;
        Utf8JsonReader json = new(text);
        Enter(ref json, JsonTokenType.StartObject);
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("version"u8))
            {
                json.Read();
                if (json.GetInt32() > PodRecord.CurrentVersion)
                {
                    return null;
                }
            }
            else if (json.ValueTextEquals("stage1"u8))
            {
                stage1 = ReadString(ref json);
            }
            else if (json.ValueTextEquals("created"u8))
            {
                json.Read();
                created = json.GetDateTimeOffset();
            }
            else if (json.ValueTextEquals("name"u8))
            {
                name = ReadString(ref json);
            }
            else if (json.ValueTextEquals("labels"u8))
            {
                labels = ReadLabels(ref json);
            }
            else if (json.ValueTextEquals("mutable"u8))
            {
                json.Read();
                mutable = json.GetBoolean();
            }
            else
            {
                json.Skip();
            }
        }

        return stage1 is null || created is null
            ? null
            : new PodOutline { Stage1 = stage1, Created = created, Name = name, Labels = labels, Mutable = mutable };
    }

    private static Dictionary<string, string>? ReadLabels(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        while (NextMember(ref json))
        {
            string key = json.GetString()!;
            labels[key] = ReadString(ref json) ?? string.Empty;
        }

        return labels;
    }

    private static List<PodOutlineApp> ReadApps(byte[] text)
    {
        List<PodOutlineApp> apps = [];
        Utf8JsonReader json = new(text);
        Enter(ref json, JsonTokenType.StartObject);
        while (NextMember(ref json))
        {
            if (!json.ValueTextEquals("apps"u8))
            {
                json.Skip();
                continue;
            }

            Enter(ref json, JsonTokenType.StartArray);
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                apps.Add(ReadApp(ref json));
            }
        }

        return apps;
    }

    private static PodOutlineApp ReadApp(ref Utf8JsonReader json)
    {
        string? name = null;
        string? image = null;
        bool announces = false;
        bool restarts = false;
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("name"u8))
            {
                name = ReadString(ref json);
            }
            else if (json.ValueTextEquals("image"u8))
            {
                Enter(ref json, JsonTokenType.StartObject);
                while (NextMember(ref json))
                {
                    if (json.ValueTextEquals("id"u8))
                    {
                        image = ReadString(ref json);
                    }
                    else
                    {
                        json.Skip();
                    }
                }
            }
            else if (json.ValueTextEquals("annotations"u8))
            {
                Enter(ref json, JsonTokenType.StartArray);
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    (string? key, string? value) = ReadAnnotation(ref json);
                    announces |= Stage1App.Announces(key, value);
                    restarts |= RestartAnnotations.Find(key, value) is not null;
                }
            }
            else
            {
                json.Skip();
            }
        }

        return AcName.TryParse(name, out AcName? app) && ImageId.TryParse(image, out ImageId? id)
            ? new PodOutlineApp(app, id, announces, restarts)
            : throw new FormatException();
    }

    private static (string? Name, string? Value) ReadAnnotation(ref Utf8JsonReader json)
    {
        string? name = null;
        string? value = null;
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("name"u8))
            {
                name = ReadString(ref json);
            }
            else if (json.ValueTextEquals("value"u8))
            {
                value = ReadString(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        return (name, value);
    }

    private static void Enter(ref Utf8JsonReader json, JsonTokenType kind)
    {
        if (!json.Read() || json.TokenType != kind)
        {
            throw new JsonException();
        }
    }

    /// <summary>Goes to the next member's name; false at the object's end.</summary>
    private static bool NextMember(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    private static string? ReadString(ref Utf8JsonReader json)
    {
        json.Read();
        return json.GetString();
    }
}

/// <summary>An app of a pod, as far as its status needs it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ImageId">Its image.</param>
/// <param name="Announces">Whether it announces its readiness.</param>
/// <param name="Restarts">Whether it is started again when it has ended.</param>
internal readonly record struct PodOutlineApp(AcName Name, ImageId ImageId, bool Announces, bool Restarts);
