using System.Globalization;
using System.Text.Json;

namespace Appc.Manifests.Json;

// Values that are no objects of the schema.
internal sealed partial class ManifestReader
{
    private bool IsObject(JsonValue value)
    {
        if (value.Kind == JsonTokenType.StartObject)
        {
            return true;
        }

        findings.AddAt(value, "wrong-type", "must be an object", _section);
        return false;
    }

    /// <summary>The items of a list. Null counts as none; an item that cannot be read keeps its place, so that those after it have their index.</summary>
    private ValueList<T> List<T>(JsonValue value, ItemReader<T> read)
    {
        if (value.Kind == JsonTokenType.StartArray)
        {
            T[] items = new T[value.Count];
            int index = 0;
            foreach (JsonValue item in value.Items)
            {
                items[index++] = read(this, item);
            }

            return ValueList<T>.Wrap(items);
        }

        if (!value.IsNull)
        {
            findings.AddAt(value, "wrong-type", "must be a list", _section);
        }

        return ValueList<T>.Empty;
    }

    private ValueList<string> Texts(JsonValue value) => List(value, static (reader, item) => reader.Item(item));

    private string Item(JsonValue value)
    {
        if (value.Kind == JsonTokenType.String)
        {
            return value.GetText();
        }

        findings.AddAt(value, "wrong-type", "must be a string", _section);
        return "";
    }

    private ValueList<KeyValuePair<string, string>> TextMap(JsonValue value)
    {
        if (value.IsNull || !IsObject(value))
        {
            return ValueList<KeyValuePair<string, string>>.Empty;
        }

        KeyValuePair<string, string>[] entries = new KeyValuePair<string, string>[value.Count];
        int index = 0;
        foreach ((JsonValue name, JsonValue text) in value.Members)
        {
            entries[index++] = new(name.GetText(), Item(text));
        }

        return ValueList<KeyValuePair<string, string>>.Wrap(entries);
    }

    /// <summary>A string, or null for JSON's null: whether there must be one is for the rules to say.</summary>
    private string? Text(JsonValue value)
    {
        if (value.Kind == JsonTokenType.String)
        {
            return value.GetText();
        }

        if (!value.IsNull)
        {
            findings.AddAt(value, "wrong-type", "must be a string", _section);
        }

        return null;
    }

    private bool? Flag(JsonValue value)
    {
        switch (value.Kind)
        {
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.Null:
                return null;
            default:
                findings.AddAt(value, "wrong-type", "must be true or false", _section);
                return null;
        }
    }

    private long? Integer(JsonValue value, long least, long most)
    {
        if (value.IsNull)
        {
            return null;
        }

        if (value.Kind != JsonTokenType.Number)
        {
            findings.AddAt(value, "wrong-type", "must be a number", _section);
        }
        else if (value.Raw.IndexOfAny(".eE"u8) >= 0)
        {
            findings.AddAt(value, "bad-integer", "must be an integer, written without a fraction or exponent", _section);
        }
        else if (!long.TryParse(value.Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) || number < least || number > most)
        {
            findings.AddAt(value, "out-of-range", string.Create(CultureInfo.InvariantCulture, $"must be from {least} to {most}"), _section);
        }
        else
        {
            return number;
        }

        return null;
    }

    private AcName? Name(JsonValue value)
    {
        if (Text(value) is not { } text)
        {
            return null;
        }

        if (!AcName.TryParse(text, out AcName? name))
        {
            findings.AddAt(value, "bad-name", "not an AC Name: " + AcName.FaultOf(text), SpecSections.Name);
        }

        return name;
    }

    private AcIdentifier? Identifier(JsonValue value)
    {
        if (Text(value) is not { } text)
        {
            return null;
        }

        if (!AcIdentifier.TryParse(text, out AcIdentifier? identifier))
        {
            findings.AddAt(value, "bad-identifier", "not an AC Identifier: " + AcIdentifier.FaultOf(text), SpecSections.Identifier);
        }

        return identifier;
    }

    private ImageId? Id(JsonValue value)
    {
        if (Text(value) is not { } text)
        {
            return null;
        }

        if (!ImageId.TryParse(text, out ImageId? id))
        {
            findings.AddAt(value, "bad-hash", "must be 'sha512-' and 128 hexadecimal digits", SpecSections.ImageId);
        }

        return id;
    }

    private static void Keep(ref List<UnknownMember>? unknown, JsonValue.JsonMember member) =>
        (unknown ??= []).Add(new UnknownMember(member.Name.GetText(), member.Value.GetCompactJson()));

    private static ValueList<UnknownMember> Kept(List<UnknownMember>? unknown) =>
        unknown is null ? ValueList<UnknownMember>.Empty : ValueList<UnknownMember>.Wrap([.. unknown]);
}
