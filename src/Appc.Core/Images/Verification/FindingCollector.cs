using Appc.Manifests;

namespace Appc.Images.Verification;

/// <summary>Takes what is wrong with one image; remembers the first hundred things and counts the others.</summary>
internal sealed class FindingCollector(ImageId image)
{
    private const int Most = 100;

    private readonly List<ImageFinding> _findings = [];

    public IReadOnlyList<ImageFinding> Findings => _findings;

    /// <summary>How many more there were.</summary>
    public long Omitted { get; private set; }

    public bool Any => _findings.Count > 0;

    public void Add(ImagePart part, string message) => Add(part, (string?)null, message);

    public void Add(ImagePart part, ReadOnlySpan<byte> path, string message) => Add(part, "/" + ByteText.Show(path), message);

    public void Add(ImagePart part, string? path, string message)
    {
        if (_findings.Count < Most)
        {
            _findings.Add(new ImageFinding(image, part, path, message));
        }
        else
        {
            Omitted++;
        }
    }

    /// <summary>Takes over what another one holds.</summary>
    public void AddAll(FindingCollector other)
    {
        foreach (ImageFinding finding in other._findings)
        {
            Add(finding.Part, finding.Path, finding.Message);
        }

        Omitted += other.Omitted;
    }
}
