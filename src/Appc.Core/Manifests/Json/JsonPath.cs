using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>One step of a JSON path: a member's name, or the index of an item.</summary>
internal readonly record struct PathSegment(string? Name, int Index)
{
    public string Text => Name is null ? string.Create(CultureInfo.InvariantCulture, $"[{Index}]") : JsonPath.Step(Name);
}

/// <summary>JSON paths of values, and values as they are shown with them. Only made for what is reported.</summary>
internal static class JsonPath
{
    public static string Of(JsonValue target)
    {
        StringBuilder path = new("$");
        JsonValue current = target.Table.Root;
        while (current.Index != target.Index)
        {
            if (current.Kind == JsonTokenType.StartObject)
            {
                foreach ((JsonValue name, JsonValue value) in current.Members)
                {
                    if (target.Index < target.Table[value.Index].Next)
                    {
                        path.Append(Step(name.GetText()));
                        current = value;
                        break;
                    }
                }
            }
            else
            {
                int item = 0;
                foreach (JsonValue value in current.Items)
                {
                    if (target.Index < target.Table[value.Index].Next)
                    {
                        path.Append(CultureInfo.InvariantCulture, $"[{item}]");
                        current = value;
                        break;
                    }

                    item++;
                }
            }
        }

        return path.ToString();
    }

    public static bool TryStep(JsonValue value, PathSegment segment, out JsonValue next)
    {
        if (segment.Name is not null)
        {
            return value.TryGetMember(Encoding.UTF8.GetBytes(segment.Name), out next);
        }

        int item = 0;
        if (value.Kind == JsonTokenType.StartArray)
        {
            foreach (JsonValue candidate in value.Items)
            {
                if (item++ == segment.Index)
                {
                    next = candidate;
                    return true;
                }
            }
        }

        next = default;
        return false;
    }

    /// <summary>The step to a member: dotted where its name is a plain word, else in brackets and quotes.</summary>
    public static string Step(string name)
    {
        bool plain = name.Length > 0 && !char.IsAsciiDigit(name[0]);
        foreach (char character in name)
        {
            plain &= char.IsAsciiLetterOrDigit(character) || character == '_';
        }

        return plain && name.Length <= 60
            ? "." + name
            : "['" + ShownText.Shorten(name).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal) + "']";
    }

    public static string Show(JsonValue value) => value.Kind switch
    {
        JsonTokenType.StartObject => value.Count == 0 ? "{}" : "{...}",
        JsonTokenType.StartArray => value.Count == 0 ? "[]" : "[...]",
        JsonTokenType.String => "\"" + ShownText.Shorten(Head(value)) + "\"",
        _ => ShownText.Shorten(Encoding.UTF8.GetString(value.Raw)),
    };

    // The text of a string of megabytes is not made only to be cut.
    private static string Head(JsonValue value) =>
        value.Raw.Length > 4096 ? Encoding.UTF8.GetString(value.Raw[1..257]) : value.GetText();
}
