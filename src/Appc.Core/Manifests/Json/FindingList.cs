using System.Text;
using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>
/// Collects the faults of one document. The reader of JSON reports a fault at a value; the rules, which look at
/// objects, report it at the path they are at, and its place is looked up in the document if there is one.
/// </summary>
internal sealed class FindingList(int most)
{
    // Most documents have no fault: what holds them is made with the first.
    private List<ManifestFinding>? _findings;
    private HashSet<string>? _read;
    private PathSegment[] _path = [];
    private int _depth;
    private JsonPlace _place = JsonPlace.Start;

    /// <summary>The document that the objects were read from; null for objects made in code.</summary>
    public JsonTable? Source { get; set; }

    public bool IsEmpty => Count == 0;

    /// <summary>How many there are, those beyond the most that are kept included.</summary>
    public int Count { get; private set; }

    public IReadOnlyList<ManifestFinding> Findings => _findings ?? [];

    /// <summary>The findings in the order of the document.</summary>
    public IReadOnlyList<ManifestFinding> InOrder() => Findings.OrderBy(finding => finding.Line).ThenBy(finding => finding.Column).ToArray();

    public void Push(string member) => PushSegment(new PathSegment(member, 0));

    public void Push(int item) => PushSegment(new PathSegment(null, item));

    public void Pop() => _depth--;

    /// <summary>A fault of the text as such.</summary>
    public void AddAt(ReadOnlyMemory<byte> utf8, int offset, string rule, string message, string section)
    {
        _place = _place.MoveTo(utf8.Span, offset);
        Add(new ManifestFinding("$", _place.Line, _place.Column, null, rule, message, section));
    }

    /// <summary>A fault that the JSON reader found.</summary>
    public void AddSyntax(JsonException exception) =>
        Add(new ManifestFinding(
            "$",
            (int)(exception.LineNumber ?? 0) + 1,
            (int)(exception.BytePositionInLine ?? 0) + 1,
            null,
            "syntax",
            JsonText.SyntaxMessage(exception),
            SpecSections.Json));

    /// <summary>A fault of a value.</summary>
    public void AddAt(JsonValue value, string rule, string message, string section)
    {
        if (IsFull())
        {
            return;
        }

        string path = JsonPath.Of(value);
        (_read ??= new(StringComparer.Ordinal)).Add(path);
        _place = _place.MoveTo(value.Table.Utf8.Span, value.Offset);
        Add(new ManifestFinding(path, _place.Line, _place.Column, JsonPath.Show(value), rule, message, section));
    }

    /// <summary>A member that an object ought to have.</summary>
    public void AddMissing(JsonValue parent, string member, string section, string rule = "required")
    {
        if (IsFull())
        {
            return;
        }

        string path = JsonPath.Of(parent) + JsonPath.Step(member);
        (_read ??= new(StringComparer.Ordinal)).Add(path);
        _place = _place.MoveTo(parent.Table.Utf8.Span, parent.Offset);
        Add(new ManifestFinding(path, _place.Line, _place.Column, null, rule, $"the member '{member}' is required", section));
    }

    /// <summary>A fault of the object, or with <paramref name="member"/> of a member of it, at the path where the rules are.</summary>
    public void AddHere(string? member, string? value, string rule, string message, string section)
    {
        if (IsFull())
        {
            return;
        }

        StringBuilder text = new("$");
        for (int index = 0; index < _depth; index++)
        {
            text.Append(_path[index].Text);
        }

        if (member is not null)
        {
            text.Append(JsonPath.Step(member));
        }

        string path = text.ToString();
        if (_read?.Contains(path) == true)
        {
            // The member could not be read; that it is missing from the object says nothing new.
            return;
        }

        if (Source is null)
        {
            _place = default;
        }
        else
        {
            _place = _place.MoveTo(Source.Utf8.Span, Find(member).Offset);
        }

        Add(new ManifestFinding(path, _place.Line, _place.Column, value is null ? null : ShownText.Shorten(value), rule, message, section));
    }

    private JsonValue Find(string? member)
    {
        JsonValue value = Source!.Root;
        for (int index = 0; index < _depth; index++)
        {
            if (!JsonPath.TryStep(value, _path[index], out JsonValue next))
            {
                return value;
            }

            value = next;
        }

        return member is not null && JsonPath.TryStep(value, new PathSegment(member, 0), out JsonValue last) ? last : value;
    }

    private void PushSegment(PathSegment segment)
    {
        if (_depth == _path.Length)
        {
            Array.Resize(ref _path, Math.Max(8, _depth * 2));
        }

        _path[_depth++] = segment;
    }

    /// <summary>
    /// Whether no more are kept; says so once. Finding out where a fault stands takes time, which must not be spent on
    /// each of a hundred thousand.
    /// </summary>
    private bool IsFull()
    {
        if (Count < most)
        {
            return false;
        }

        if (Count++ == most)
        {
            (_findings ??= []).Add(new ManifestFinding(
                "$", Source is null ? 0 : int.MaxValue, 0, null, "limit", $"there are more than {most} faults; the others are not listed", SpecSections.None));
        }

        return true;
    }

    private void Add(ManifestFinding finding)
    {
        Count++;
        (_findings ??= []).Add(finding);
    }
}
