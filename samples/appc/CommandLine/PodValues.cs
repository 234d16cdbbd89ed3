using Appc.Manifests;

namespace Appc.Cli.CommandLine;

/// <summary>Reads the values that describe volumes, mounts and ports.</summary>
internal static class PodValues
{
    public static IReadOnlyList<string> List(string? text) =>
        text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary><c>NAME,kind=host|empty[,source=PATH][,readOnly=B][,recursive=B][,mode=M][,uid=N][,gid=N]</c>.</summary>
    public static Volume Volume(string text)
    {
        string[] parts = text.Split(',');
        var volume = new Volume { Name = Name(parts[0], "--volume") };
        bool kindGiven = false;
        foreach (string part in parts.Skip(1))
        {
            (string key, string value) = Values.Pair(part, "--volume");
            volume = key switch
            {
                "kind" => volume with { Kind = Kind(value) },
                "source" => volume with { Source = value },
                "readOnly" => volume with { ReadOnly = Values.Boolean(value, "--volume readOnly") },
                "recursive" => volume with { Recursive = Values.Boolean(value, "--volume recursive") },
                "mode" => volume with { Mode = value },
                "uid" => volume with { Uid = Values.Number(value, "--volume uid") },
                "gid" => volume with { Gid = Values.Number(value, "--volume gid") },
                _ => throw new UsageException($"--volume: unknown property '{key}'"),
            };
            kindGiven |= key == "kind";
        }

        return kindGiven ? volume : throw new UsageException($"--volume: '{text}' does not say kind=host or kind=empty");
    }

    /// <summary><c>volume=NAME,target=PATH</c>.</summary>
    public static Mount Mount(string text)
    {
        string? volume = null;
        string? target = null;
        foreach (string part in text.Split(','))
        {
            (string key, string value) = Values.Pair(part, "--mount");
            switch (key)
            {
                case "volume":
                    volume = value;
                    break;
                case "target":
                    target = value;
                    break;
                default:
                    throw new UsageException($"--mount: unknown property '{key}'");
            }
        }

        return volume is not null && target is not null
            ? new Mount(Name(volume, "--mount"), target)
            : throw new UsageException($"--mount: '{text}' is not of the form volume=NAME,target=PATH");
    }

    /// <summary><c>NAME:[IP:]PORT</c>.</summary>
    public static ExposedPort Port(string text)
    {
        int first = text.IndexOf(':', StringComparison.Ordinal);
        int last = text.LastIndexOf(':');
        if (first <= 0)
        {
            throw new UsageException($"--port: '{text}' is not of the form NAME:[IP:]PORT");
        }

        return new ExposedPort
        {
            Name = Name(text[..first], "--port"),
            HostPort = Values.Number(text[(last + 1)..], "--port"),
            HostIp = last > first ? text[(first + 1)..last].Trim('[', ']') : null,
        };
    }

    public static Annotation Annotation(string text)
    {
        (string name, string value) = Values.Pair(text, "--annotation");
        return AcIdentifier.TryParse(name, out AcIdentifier? identifier)
            ? new Annotation(identifier, value)
            : throw new UsageException($"--annotation: '{name}' is not a valid name");
    }

    private static VolumeKind Kind(string value) => value switch
    {
        "host" => VolumeKind.Host,
        "empty" => VolumeKind.Empty,
        _ => throw new UsageException($"--volume: kind '{value}' is neither host nor empty"),
    };

    private static AcName Name(string text, string option) =>
        AcName.TryParse(text, out AcName? name) ? name : throw new UsageException($"{option}: '{text}' is not a valid name");
}
