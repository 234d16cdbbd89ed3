namespace Appc.Manifests.Json;

/// <summary>
/// What manifests must say beyond having the right form: the one list of rules for what was read and for what was
/// made in code. The objects may lack anything.
/// </summary>
internal static partial class ManifestRules
{
    private const int MostFindings = 1000;

    private delegate void ItemRule<T>(T item, FindingList findings, string section);

    public static IReadOnlyList<ManifestFinding> Check(ImageManifest image)
    {
        FindingList findings = new(MostFindings);
        Check(image, findings);
        return findings.Findings;
    }

    public static IReadOnlyList<ManifestFinding> Check(PodManifest pod)
    {
        FindingList findings = new(MostFindings);
        Check(pod, findings);
        return findings.Findings;
    }

    public static void Check(ImageManifest image, FindingList findings)
    {
        Version(image.AcVersion, findings);
        Required(image.Name, "name", findings, SpecSections.Image);
        Labels(image.Labels, findings, SpecSections.Image);
        Nested("app", image.App, findings, SpecSections.Image, CheckApp);
        Each("dependencies", image.Dependencies, findings, SpecSections.Image, CheckDependency);
        Each("pathWhitelist", image.PathWhitelist, findings, SpecSections.Image, CheckWhitelistPath);
        Annotations(image.Annotations, findings, SpecSections.Image);
        Unknown(image.UnknownMembers, MemberNames.Image, findings);
    }

    private static void CheckDependency(Dependency dependency, FindingList findings, string section)
    {
        Required(dependency.ImageName, "imageName", findings, section);
        Labels(dependency.Labels, findings, section);
        if (dependency.Size < 0)
        {
            findings.AddHere("size", Shown(dependency.Size), "out-of-range", "must not be negative", section);
        }

        Unknown(dependency.UnknownMembers, MemberNames.Dependency, findings);
    }

    private static void CheckWhitelistPath(string path, FindingList findings, string section)
    {
        if (!path.StartsWith('/'))
        {
            findings.AddHere(null, Quoted(path), "relative-path", "must be an absolute path", section);
        }
    }
}
