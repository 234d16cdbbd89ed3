using Appc.Manifests.Json;

namespace Appc.Manifests;

// The text form of the command line.
public sealed partial record MountPoint
{
    /// <summary>Parses <c>NAME,path=PATH[,readOnly=BOOL]</c>. A value cannot have a comma.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static MountPoint Parse(string text)
    {
        PairText pairs = PairText.Parse("mount point", text, "name");
        MountPoint point = new(null!, null!);
        foreach ((string key, string value) in pairs.Pairs)
        {
            point = key switch
            {
                "name" => point with { Name = pairs.Read(value, AcName.Parse) },
                "path" => point with { Path = value },
                "readOnly" => point with { ReadOnly = pairs.Flag(key, value) },
                _ => throw pairs.UnknownKey(key),
            };
        }

        return pairs.Checked(point, ManifestRules.Check(point));
    }

    /// <summary>The text form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => $"{Name},path={Path}{(ReadOnly ? ",readOnly=true" : "")}";
}
