namespace Appc.Manifests.Json;

/// <summary>Where in the text of the specification a rule is found.</summary>
internal static class SpecSections
{
    public const string None = "";
    public const string Json = "RFC 4627";
    public const string Identifier = "types.md: AC Identifier Type";
    public const string Name = "types.md: AC Name Type";
    public const string Kind = "types.md: AC Kind Type";
    public const string Version = "types.md: AC Version Type";
    public const string ImageId = "types.md: Image ID Type";
    public const string IsolatorType = "types.md: Isolator Type";
    public const string Timestamp = "types.md: Timestamps Type";
    public const string Image = "aci.md: Image Manifest Schema";
    public const string Pod = "pods.md: Pod Manifest Schema";
    public const string LinuxIsolators = "ace.md: Linux Isolators";
    public const string ResourceIsolators = "ace.md: Resource Isolators";
    public const string UnixIsolators = "ace.md: Unix Isolators";
    public const string PodUuid = "ace.md: Pod UUID";
}
