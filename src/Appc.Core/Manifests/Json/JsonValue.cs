using System.Text;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>A value (or a member's name) in a <see cref="JsonTable"/>.</summary>
internal readonly struct JsonValue(JsonTable table, int index)
{
    public JsonTable Table { get; } = table;

    public int Index { get; } = index;

    public JsonTokenType Kind => Table[Index].Kind;

    public int Offset => Table[Index].Start;

    /// <summary>Number of members or items.</summary>
    public int Count => Table[Index].Count;

    public bool IsNull => Kind == JsonTokenType.Null;

    public ReadOnlySpan<byte> Raw => Table.Utf8.Span.Slice(Table[Index].Start, Table[Index].Length);

    /// <summary>The text of a string or name. Escapes of lone surrogates become U+FFFD: text never holds what UTF-8 cannot.</summary>
    public string GetText()
    {
        ReadOnlySpan<byte> inner = Raw[1..^1];
        return Table[Index].Escaped ? JsonText.Unescape(inner) : Encoding.UTF8.GetString(inner);
    }

    /// <summary>The text of a name as UTF-8, for comparing as JSON compares: to the letter.</summary>
    public ReadOnlySpan<byte> Key => Table[Index].Escaped ? Encoding.UTF8.GetBytes(GetText()) : Raw[1..^1];

    /// <summary>The value as JSON text without insignificant white space.</summary>
    public string GetCompactJson() => JsonText.Compact(Raw);

    /// <summary>The member of this name, if this is an object that has it.</summary>
    public bool TryGetMember(ReadOnlySpan<byte> name, out JsonValue value)
    {
        if (Kind == JsonTokenType.StartObject)
        {
            foreach (JsonMember member in Members)
            {
                if (member.Name.Key.SequenceEqual(name))
                {
                    value = member.Value;
                    return true;
                }
            }
        }

        value = default;
        return false;
    }

    public MemberEnumerable Members => new(this);

    public ItemEnumerable Items => new(this);

    internal readonly record struct JsonMember(JsonValue Name, JsonValue Value);

    internal struct MemberEnumerable(JsonValue parent)
    {
        private readonly int _end = parent.Table[parent.Index].Next;
        private int _next = parent.Index + 1;
        private int _current;

        public readonly JsonMember Current => new(new JsonValue(parent.Table, _current), new JsonValue(parent.Table, _current + 1));

        public readonly MemberEnumerable GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_next >= _end)
            {
                return false;
            }

            _current = _next;
            _next = parent.Table[_current + 1].Next;
            return true;
        }
    }

    internal struct ItemEnumerable(JsonValue parent)
    {
        private readonly int _end = parent.Table[parent.Index].Next;
        private int _next = parent.Index + 1;
        private int _current;

        public readonly JsonValue Current => new(parent.Table, _current);

        public readonly ItemEnumerable GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_next >= _end)
            {
                return false;
            }

            _current = _next;
            _next = parent.Table[_current].Next;
            return true;
        }
    }
}
