using Appc.Manifests;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>Reads the discovery tags of one page for one image.</summary>
internal sealed class DiscoveryPage
{
    private const int MaxTags = 256;
    private readonly List<DiscoveryTag> _tags = [];
    private readonly List<DiscoveredImage> _images = [];
    private readonly List<string> _keys = [];

    private DiscoveryPage()
    {
    }

    public IReadOnlyList<DiscoveryTag> Tags => _tags;

    public IReadOnlyList<DiscoveredImage> Images => _images;

    public IReadOnlyList<string> PublicKeys => _keys;

    public static DiscoveryPage Read(string html, AcIdentifier name, IReadOnlyDictionary<string, string> values)
    {
        var page = new DiscoveryPage();
        var textual = new List<(int Index, DiscoveredImage Image)>();
        var scanner = new MetaTagScanner(html);
        while (page._tags.Count < MaxTags && scanner.Next(out string tagName, out string content))
        {
            if (tagName is "ac-discovery" or "ac-discovery-pubkeys")
            {
                page.Add(tagName != "ac-discovery", content, name, values, textual);
            }
        }

        // A prefix is meant to end where a path component ends. Pages written for implementations that compare
        // plain text still serve, as long as no tag of the page fits better.
        if (page._images.Count == 0)
        {
            foreach ((int index, DiscoveredImage image) in textual)
            {
                page._images.Add(image);
                page._tags[index] = page._tags[index] with { Skipped = null };
            }
        }

        return page;
    }

    private void Add(bool keys, string content, AcIdentifier name, IReadOnlyDictionary<string, string> values, List<(int, DiscoveredImage)> textual)
    {
        string[] words = content.Split([' ', '\t', '\n', '\r', '\f'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2)
        {
            _tags.Add(new DiscoveryTag(keys, "", "", $"its content is not 'prefix {(keys ? "url" : "template")}'"));
            return;
        }

        (string prefix, string template) = (words[0], words[1]);
        bool covers = NameScope.Covers(prefix.EndsWith('/') ? prefix[..^1] : prefix, name) && name.ToString().StartsWith(prefix, StringComparison.Ordinal);
        bool text = !keys && !covers && name.ToString().StartsWith(prefix, StringComparison.Ordinal);
        string? skipped = covers ? null : "its prefix is for other names";
        if (keys)
        {
            if (covers)
            {
                _keys.Add(template);
            }
        }
        else if (covers || text)
        {
            if (TryRender(template, values, out DiscoveredImage? image, out string? fault))
            {
                if (covers)
                {
                    _images.Add(image);
                }
                else
                {
                    skipped = "its prefix ends inside a path component of the name";
                    textual.Add((_tags.Count, image));
                }
            }
            else
            {
                skipped = fault;
            }
        }

        _tags.Add(new DiscoveryTag(keys, prefix, template, skipped));
    }

    public static bool TryRender(
        string template,
        IReadOnlyDictionary<string, string> values,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DiscoveredImage? image,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? fault)
    {
        image = null;
        if (!template.Contains("{ext}", StringComparison.Ordinal))
        {
            fault = "it has no {ext}";
            return false;
        }

        string? aci = DiscoveryTemplate.Render(template, new Dictionary<string, string>(values) { ["ext"] = "aci" }, out string? missing);
        string? asc = DiscoveryTemplate.Render(template, new Dictionary<string, string>(values) { ["ext"] = "aci.asc" }, out _);
        fault = aci is null ? $"it asks for {DisplayText.Clean(missing ?? "", 60)}, which the image reference does not give" : null;
        image = aci is null || asc is null ? null : new DiscoveredImage(aci, asc, template);
        return image is not null;
    }
}
