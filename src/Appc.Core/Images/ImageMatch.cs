using System.Buffers;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>Which images fit a name and labels, and which of them is the best.</summary>
internal static class ImageMatch
{
    public const string IdPrefix = "sha512-";
    private const int FewestDigits = 2;
    private const int Digits = 128;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether an image has a name and, among its labels, all of these.</summary>
    public static bool Fits(ImageManifest manifest, AcIdentifier name, IEnumerable<Label> labels) =>
        manifest.Name == name && labels.All(l => manifest.GetLabel(l.Name.ToString()) == l.Value);

    /// <summary>The best fit; null if none fits.</summary>
    public static StoredImage? Best(IEnumerable<StoredImage> images, AcIdentifier name, IReadOnlyList<Label> labels)
    {
        StoredImage? best = null;
        foreach (StoredImage image in images.Where(i => Fits(i.Manifest, name, labels)))
        {
            if (best is null || Compare(image, best) > 0)
            {
                best = image;
            }
        }

        return best;
    }

    /// <summary>Reads <c>NAME[:VERSION][,LABEL=VALUE...]</c>.</summary>
    public static (AcIdentifier Name, Label[] Labels) ParseName(string reference)
    {
        string[] parts = reference.Split(',');
        int colon = parts[0].IndexOf(':', StringComparison.Ordinal);
        AcIdentifier name = AcIdentifier.Parse(colon < 0 ? parts[0] : parts[0][..colon]);
        List<Label> labels = [];
        if (colon >= 0)
        {
            labels.Add(new Label(AcIdentifier.Parse("version"), parts[0][(colon + 1)..]));
        }

        foreach (string part in parts.Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            labels.Add(equals > 0
                ? new Label(AcIdentifier.Parse(part[..equals]), part[(equals + 1)..])
                : throw new ManifestException(
                    $"'{ByteText.Show(System.Text.Encoding.UTF8.GetBytes(part))}' is not of the form LABEL=VALUE", "write NAME[:VERSION][,LABEL=VALUE...]"));
        }

        return (name, [.. labels]);
    }

    /// <summary>Refuses what is no prefix of an id, or one too short to mean anything.</summary>
    public static void CheckPrefix(string reference)
    {
        ReadOnlySpan<char> digits = reference.AsSpan(IdPrefix.Length);
        if (digits.Length is < FewestDigits or > Digits || digits.ContainsAnyExcept(HexDigits))
        {
            throw new ImageException(
                ImageFailure.NotFound,
                $"'{ByteText.Show(System.Text.Encoding.UTF8.GetBytes(reference))}' is no image id and no prefix of one",
                $"give {IdPrefix} and at least {FewestDigits} lower-case hexadecimal digits");
        }
    }

    private static int Compare(StoredImage a, StoredImage b)
    {
        int order = CompareVersions(a.Manifest.GetLabel("version"), b.Manifest.GetLabel("version"));
        order = order != 0 ? order : a.Provenance.Latest.CompareTo(b.Provenance.Latest);
        order = order != 0 ? order : a.Provenance.Imported.CompareTo(b.Provenance.Imported);
        return order != 0 ? order : a.Id.CompareTo(b.Id);
    }

    // Versions that are no semantic ones have no order among themselves and come before those that are.
    private static int CompareVersions(string? a, string? b)
    {
        bool hasA = SemVer.TryParse(a, out SemVer? versionA);
        bool hasB = SemVer.TryParse(b, out SemVer? versionB);
        return hasA && hasB ? versionA!.ComparePrecedence(versionB!) : hasA.CompareTo(hasB);
    }
}
