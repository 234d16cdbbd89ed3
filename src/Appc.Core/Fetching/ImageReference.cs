using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Appc.Manifests;

namespace Appc.Fetching;

/// <summary>
/// What a user writes to say which image is meant: <c>NAME[:VERSION][,LABEL=VALUE...]</c>, an image id or the beginning
/// of one (<c>sha512-...</c>), <c>https://...</c>, <c>http://...</c>, <c>file://...</c>, or a path that begins with
/// <c>/</c> or <c>.</c>. The text alone decides; files that happen to exist change nothing.
/// </summary>
public sealed class ImageReference : IEquatable<ImageReference>
{
    private const string IdPrefixText = "sha512-";
    private const int IdDigits = 128;

    private readonly string _text;

    private ImageReference(ImageReferenceKind kind, string text)
    {
        Kind = kind;
        _text = text;
    }

    /// <summary>What the reference names.</summary>
    public ImageReferenceKind Kind { get; }

    /// <summary>The image name, with <see cref="ImageReferenceKind.Name"/>.</summary>
    public AcIdentifier? Name { get; private init; }

    /// <summary>The labels that were asked for, the version among them, in the order of the text.</summary>
    public IReadOnlyList<Label> Labels { get; private init; } = [];

    /// <summary>The id or the beginning of one, with <see cref="ImageReferenceKind.Id"/>.</summary>
    public string? IdPrefix { get; private init; }

    /// <summary>The archive's address, with <see cref="ImageReferenceKind.Url"/>.</summary>
    public Uri? Url { get; private init; }

    /// <summary>The archive's path, with <see cref="ImageReferenceKind.File"/>.</summary>
    public string? Path { get; private init; }

    /// <summary>The value of the version label; null if none was asked for.</summary>
    public string? Version => GetLabel("version");

    /// <summary>The value of a label that was asked for, or null.</summary>
    public string? GetLabel(string name) => Labels.FirstOrDefault(l => l.Name.ToString() == name)?.Value;

    /// <summary>Makes a reference from a name and labels.</summary>
    /// <exception cref="FetchException">A label occurs twice, or its value cannot be written in a reference.</exception>
    public static ImageReference ForName(AcIdentifier name, IEnumerable<Label>? labels = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        Label[] list = labels?.ToArray() ?? [];
        string? fault = name.ToString().StartsWith(IdPrefixText, StringComparison.Ordinal) ? "it reads like an image id" : CheckLabels(list);
        return fault is null ? FromName(name, list) : throw Bad(name.ToString(), fault);
    }

    /// <summary>Makes a reference from an image id.</summary>
    public static ImageReference ForId(ImageId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new ImageReference(ImageReferenceKind.Id, id.ToString()) { IdPrefix = id.ToString() };
    }

    /// <summary>Parses the text form.</summary>
    /// <exception cref="FetchException">The text is not a reference (<see cref="FetchFailure.BadReference"/>).</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out string? fault) ?? throw Bad(text, fault!);
    }

    /// <summary>Parses the text form; false if it is not a reference.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? result)
    {
        result = text is null ? null : Read(text, out _);
        return result is not null;
    }

    /// <summary>The text form, which <see cref="Parse"/> reads back to an equal reference.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(ImageReference? other) => other is not null && Kind == other.Kind && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ImageReference);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Reads <c>NAME[:VERSION][,LABEL=VALUE...]</c> alone, whatever else the text might look like.</summary>
    internal static ImageReference? ReadName(string text, out string? fault)
    {
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        string head = comma < 0 ? text : text[..comma];
        int colon = head.IndexOf(':', StringComparison.Ordinal);
        string nameText = colon < 0 ? head : head[..colon];
        var labels = new List<Label>();
        if (!AcIdentifier.TryParse(nameText, out AcIdentifier? name))
        {
            fault = nameText.Length == 0 ? "the image name is empty" : $"'{DisplayText.Clean(nameText)}' is not an image name";
            return null;
        }

        if (colon >= 0)
        {
            string version = head[(colon + 1)..];
            if (version.Length == 0)
            {
                fault = "the version after ':' is empty";
                return null;
            }

            labels.Add(new Label(AcIdentifier.Parse("version"), version));
        }

        foreach (string part in comma < 0 ? [] : text[(comma + 1)..].Split(','))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !AcIdentifier.TryParse(part[..equals], out AcIdentifier? label))
            {
                fault = $"'{DisplayText.Clean(part)}' is not LABEL=VALUE";
                return null;
            }

            labels.Add(new Label(label, part[(equals + 1)..]));
        }

        fault = CheckLabels(labels);
        return fault is null ? FromName(name, labels) : null;
    }

    private static ImageReference? Read(string text, out string? fault)
    {
        fault = null;
        if (text.Length == 0)
        {
            fault = "it is empty";
            return null;
        }

        if (text.Any(char.IsControl))
        {
            fault = "it holds control characters";
            return null;
        }

        if (text[0] is '/' or '.')
        {
            return new ImageReference(ImageReferenceKind.File, text) { Path = text };
        }

        if (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            return ReadUrl(text, out fault);
        }

        if (text.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            return ReadFileUrl(text, out fault);
        }

        if (text.StartsWith(IdPrefixText, StringComparison.Ordinal))
        {
            return ReadId(text, out fault);
        }

        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            fault = $"the scheme '{DisplayText.Clean(text[..scheme])}' is not supported; https, http and file are";
            return null;
        }

        return ReadName(text, out fault);
    }

    private static ImageReference? ReadUrl(string text, out string? fault)
    {
        fault = !Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Host.Length == 0 ? "it is not a URL"
            : url.UserInfo.Length > 0 ? "a URL must not hold a user name or password; credentials belong in auth.d"
            : url.Fragment.Length > 0 ? "a URL of an image has no fragment ('#')"
            : null;
        return fault is null ? new ImageReference(ImageReferenceKind.Url, url!.AbsoluteUri) { Url = url } : null;
    }

    private static ImageReference? ReadFileUrl(string text, out string? fault)
    {
        fault = null;
        const string Local = "file://localhost/";
        text = text.StartsWith(Local, StringComparison.OrdinalIgnoreCase) ? "file:///" + text[Local.Length..] : text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || !url.IsFile || url.IsUnc || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            fault = "it is not a file URL of this machine, such as file:///path/image.aci";
            return null;
        }

        string path = url.LocalPath;
        if (path.Any(char.IsControl))
        {
            fault = "it holds control characters";
            return null;
        }

        // On systems whose absolute paths do not begin with a slash, the URL is the only text that reads back.
        return new ImageReference(ImageReferenceKind.File, path.StartsWith('/') ? path : url.AbsoluteUri) { Path = path };
    }

    private static ImageReference? ReadId(string text, out string? fault)
    {
        string digits = text[IdPrefixText.Length..];
        fault = digits.Length is 0 or > IdDigits || digits.Any(c => !char.IsAsciiHexDigitLower(c))
            ? string.Create(CultureInfo.InvariantCulture, $"an image id is '{IdPrefixText}' and up to {IdDigits} lower-case hexadecimal digits")
            : null;
        return fault is null ? new ImageReference(ImageReferenceKind.Id, text) { IdPrefix = text } : null;
    }

    private static ImageReference FromName(AcIdentifier name, IReadOnlyList<Label> labels)
    {
        var text = new StringBuilder(name.ToString());
        string? version = labels.FirstOrDefault(l => l.Name.ToString() == "version")?.Value;
        bool colon = version is { Length: > 0 } && labels[0].Name.ToString() == "version";
        if (colon)
        {
            text.Append(':').Append(version);
        }

        foreach (Label label in colon ? labels.Skip(1) : labels)
        {
            text.Append(',').Append(label.Name).Append('=').Append(label.Value);
        }

        return new ImageReference(ImageReferenceKind.Name, text.ToString()) { Name = name, Labels = labels };
    }

    private static string? CheckLabels(IReadOnlyList<Label> labels)
    {
        var seen = new HashSet<AcIdentifier>();
        foreach (Label label in labels)
        {
            string name = label.Name.ToString();
            if (name == "name")
            {
                return "'name' cannot be a label";
            }

            if (!seen.Add(label.Name))
            {
                return $"the label '{name}' occurs twice";
            }

            if (label.Value.Any(c => c is ',' or ':' || char.IsControl(c)))
            {
                return $"the value of the label '{name}' holds a comma, a colon or control characters";
            }
        }

        return null;
    }

    private static FetchException Bad(string text, string fault) => new(
        FetchFailure.BadReference,
        $"'{DisplayText.Clean(text)}' is not an image reference: {fault}",
        "write NAME[:VERSION][,LABEL=VALUE...], sha512-..., https://..., file://..., or a path that begins with / or .");
}
