using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>
/// Makes manifests of JSON values. It reports what has the wrong form and goes on with what is right; what the
/// objects then say is judged by <see cref="ManifestRules"/>, which judge objects made in code just so.
/// </summary>
internal sealed partial class ManifestReader(FindingList findings)
{
    private string _section = SpecSections.None;

    private delegate T ItemReader<T>(ManifestReader reader, JsonValue value);

    public ManifestReport Read(JsonValue root, ManifestKind wanted)
    {
        if (root.Kind != JsonTokenType.StartObject)
        {
            findings.AddAt(root, "wrong-type", "a manifest is a JSON object", SpecSections.Json);
            return new ManifestReport(wanted, findings.Findings, null, null);
        }

        ImageManifest? image = null;
        PodManifest? pod = null;
        ManifestKind kind = ReadKind(root, wanted);
        switch (kind)
        {
            case ManifestKind.Image:
                image = ReadImage(root);
                ManifestRules.Check(image, findings);
                break;
            case ManifestKind.Pod:
                pod = ReadPod(root);
                ManifestRules.Check(pod, findings);
                break;
            default:
                break;
        }

        return findings.IsEmpty
            ? new ManifestReport(kind, [], image, pod)
            : new ManifestReport(kind == ManifestKind.Auto ? wanted : kind, findings.InOrder(), null, null);
    }

    /// <summary>The kind to read it as; Auto if there is no telling, or it is plainly the other one.</summary>
    private ManifestKind ReadKind(JsonValue root, ManifestKind wanted)
    {
        if (!root.TryGetMember("acKind"u8, out JsonValue value) || value.IsNull)
        {
            findings.AddMissing(root, "acKind", SpecSections.Kind);
            return wanted;
        }

        if (value.Kind != JsonTokenType.String)
        {
            findings.AddAt(value, "wrong-type", "must be a string", SpecSections.Kind);
            return wanted;
        }

        if (!AcKind.TryParse(value.GetText(), out AcKind? kind))
        {
            findings.AddAt(value, "bad-kind", "must be 'ImageManifest' or 'PodManifest'", SpecSections.Kind);
            return wanted;
        }

        ManifestKind found = kind == AcKind.ImageManifest ? ManifestKind.Image : ManifestKind.Pod;
        if (wanted != ManifestKind.Auto && wanted != found)
        {
            string name = wanted == ManifestKind.Image ? "ImageManifest" : "PodManifest";
            findings.AddAt(value, "bad-kind", $"must be '{name}'", SpecSections.Kind);
            return ManifestKind.Auto;
        }

        return found;
    }
}
