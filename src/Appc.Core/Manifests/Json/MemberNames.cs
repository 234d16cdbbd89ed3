namespace Appc.Manifests.Json;

/// <summary>The members that the specification defines, object by object, as they are spelt in JSON.</summary>
internal static class MemberNames
{
    public static readonly string[] Image = ["acKind", "acVersion", "name", "labels", "app", "dependencies", "pathWhitelist", "annotations"];
    public static readonly string[] NameAndValue = ["name", "value"];
    public static readonly string[] Dependency = ["imageName", "imageID", "labels", "size"];
    public static readonly string[] EventHandler = ["name", "exec"];
    public static readonly string[] MountPoint = ["name", "path", "readOnly"];
    public static readonly string[] Port = ["name", "protocol", "port", "count", "socketActivated"];
    public static readonly string[] RuntimeApp = ["name", "image", "app", "readOnlyRootFS", "mounts", "annotations"];
    public static readonly string[] RuntimeImage = ["id", "name", "labels"];
    public static readonly string[] Mount = ["volume", "path", "appVolume"];
    public static readonly string[] Volume = ["name", "kind", "source", "readOnly", "recursive", "mode", "uid", "gid"];
    public static readonly string[] ExposedPort = ["name", "hostPort", "hostIP", "podPort"];

    public static readonly string[] App =
    [
        "exec", "user", "group", "supplementaryGIDs", "supplementaryGids", "eventHandlers", "workingDirectory", "environment",
        "isolators", "mountPoints", "ports", "userAnnotations", "userLabels",
    ];

    public static readonly string[] Pod =
    [
        "acVersion", "acKind", "apps", "volumes", "isolators", "annotations", "ports", "userAnnotations", "userLabels",
    ];
}
