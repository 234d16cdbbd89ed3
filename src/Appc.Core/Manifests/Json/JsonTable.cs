using System.Buffers;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>
/// A document as a flat table of its tokens. Nothing here recurses, so that the depth of a document costs no
/// stack, and every token knows its offset, so that a fault can be shown where it stands.
/// </summary>
internal sealed class JsonTable : IDisposable
{
    private JsonToken[] _tokens = ArrayPool<JsonToken>.Shared.Rent(128);

    private JsonTable(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    public ReadOnlyMemory<byte> Utf8 { get; }

    public int Count { get; private set; }

    public JsonValue Root => new(this, 0);

    public ref readonly JsonToken this[int index] => ref _tokens[index];

    /// <summary>Reads the tokens; null with a fault in <paramref name="findings"/> if it is not one JSON value within the limits.</summary>
    public static JsonTable? Read(ReadOnlyMemory<byte> utf8, ManifestLimits limits, FindingList findings)
    {
        if (utf8.Length > limits.MaxBytes)
        {
            findings.AddAt(utf8, 0, "limit", $"the document has {utf8.Length} bytes; at most {limits.MaxBytes} are read", SpecSections.None);
            return null;
        }

        ReadOnlySpan<byte> span = utf8.Span;
        if (span.StartsWith("\uFEFF"u8))
        {
            findings.AddAt(utf8, 0, "syntax", "the document begins with a byte order mark, which JSON does not have", SpecSections.Json);
            return null;
        }

        if (!System.Text.Unicode.Utf8.IsValid(span))
        {
            findings.AddAt(utf8, JsonText.IndexOfInvalidUtf8(span), "syntax", "the document is not valid UTF-8", SpecSections.Json);
            return null;
        }

        JsonTable table = new(utf8);
        if (table.Fill(limits, findings) && table.CheckNames(findings))
        {
            return table;
        }

        table.Dispose();
        return null;
    }

    public void Dispose()
    {
        JsonToken[] tokens = _tokens;
        _tokens = [];
        Count = 0;
        if (tokens.Length > 0)
        {
            ArrayPool<JsonToken>.Shared.Return(tokens);
        }
    }

    private bool Fill(ManifestLimits limits, FindingList findings)
    {
        Utf8JsonReader reader = new(Utf8.Span, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1, CommentHandling = JsonCommentHandling.Disallow });
        Stack<int> open = new(16);
        int values = 0;
        try
        {
            while (reader.Read())
            {
                JsonTokenType kind = reader.TokenType;
                int start = (int)reader.TokenStartIndex;
                int length = (int)reader.BytesConsumed - start;
                switch (kind)
                {
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        ref JsonToken container = ref _tokens[open.Pop()];
                        container.Next = Count;
                        container.Length = (int)reader.BytesConsumed - container.Start;
                        continue;
                    case JsonTokenType.PropertyName:
                        // The reader has consumed the colon too: the name ends at its closing quote.
                        length = reader.ValueSpan.Length + 2;
                        break;
                    default:
                        if (++values > limits.MaxValues)
                        {
                            findings.AddAt(Utf8, start, "limit", $"the document has more than {limits.MaxValues} values", SpecSections.None);
                            return false;
                        }

                        break;
                }

                if (open.Count > 0 && kind != JsonTokenType.PropertyName)
                {
                    _tokens[open.Peek()].Count++;
                }

                if (kind is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    if (open.Count == limits.MaxDepth)
                    {
                        findings.AddAt(Utf8, start, "limit", $"the document is nested deeper than {limits.MaxDepth} levels", SpecSections.None);
                        return false;
                    }

                    open.Push(Count);
                }

                Add(new JsonToken { Start = start, Length = length, Next = Count + 1, Kind = kind, Escaped = reader.ValueIsEscaped });
            }
        }
        catch (JsonException exception)
        {
            findings.AddSyntax(exception);
            return false;
        }

        return true;
    }

    private void Add(JsonToken token)
    {
        if (Count == _tokens.Length)
        {
            JsonToken[] larger = ArrayPool<JsonToken>.Shared.Rent(Count * 2);
            Array.Copy(_tokens, larger, Count);
            ArrayPool<JsonToken>.Shared.Return(_tokens);
            _tokens = larger;
        }

        _tokens[Count++] = token;
    }

    /// <summary>
    /// Refuses an object that has one name twice. Readers differ in which of the two they take, so such a
    /// document can mean one thing to who checks it and another to who runs it.
    /// </summary>
    private bool CheckNames(FindingList findings)
    {
        bool unique = true;
        for (int index = 0; index < Count; index++)
        {
            if (_tokens[index].Kind == JsonTokenType.StartObject && _tokens[index].Count > 1)
            {
                unique &= _tokens[index].Count <= 24 ? CheckFewNames(index, findings) : CheckManyNames(index, findings);
            }
        }

        return unique;
    }

    private bool CheckFewNames(int index, FindingList findings)
    {
        bool unique = true;
        int end = _tokens[index].Next;
        for (int name = index + 1; name < end; name = _tokens[name + 1].Next)
        {
            for (int earlier = index + 1; earlier < name; earlier = _tokens[earlier + 1].Next)
            {
                if (SameName(earlier, name))
                {
                    Repeated(name, findings);
                    unique = false;
                    break;
                }
            }
        }

        return unique;
    }

    private bool CheckManyNames(int index, FindingList findings)
    {
        bool unique = true;
        int end = _tokens[index].Next;
        HashSet<string> seen = new(_tokens[index].Count, StringComparer.Ordinal);
        for (int name = index + 1; name < end; name = _tokens[name + 1].Next)
        {
            if (!seen.Add(new JsonValue(this, name).GetText()))
            {
                Repeated(name, findings);
                unique = false;
            }
        }

        return unique;
    }

    private bool SameName(int left, int right)
    {
        ref readonly JsonToken a = ref _tokens[left];
        ref readonly JsonToken b = ref _tokens[right];
        if (a.Escaped || b.Escaped)
        {
            return new JsonValue(this, left).GetText() == new JsonValue(this, right).GetText();
        }

        ReadOnlySpan<byte> span = Utf8.Span;
        return a.Length == b.Length && span.Slice(a.Start, a.Length).SequenceEqual(span.Slice(b.Start, b.Length));
    }

    private void Repeated(int name, FindingList findings)
    {
        JsonValue value = new(this, name + 1);
        findings.AddAt(value, "duplicate-member", "the member occurs twice in its object", SpecSections.Json);
    }
}
