using System.Globalization;
using System.Text;
using Appc.Manifests.Json;

namespace Appc.Manifests;

// The text form of the command line.
public sealed partial record Volume
{
    /// <summary>
    /// Parses <c>NAME,kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL]</c> or
    /// <c>NAME,kind=empty[,readOnly=BOOL][,mode=OCTAL][,uid=NUMBER][,gid=NUMBER]</c>. A value cannot have a comma.
    /// </summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Volume Parse(string text)
    {
        PairText pairs = PairText.Parse("volume", text, "name");
        Volume volume = new();
        VolumeKind? kind = null;
        foreach ((string key, string value) in pairs.Pairs)
        {
            switch (key)
            {
                case "name":
                    volume = volume with { Name = pairs.Read(value, AcName.Parse) };
                    break;
                case "kind":
                    kind = value switch
                    {
                        "empty" => VolumeKind.Empty,
                        "host" => VolumeKind.Host,
                        _ => throw pairs.Fault("kind must be 'empty' or 'host'"),
                    };
                    break;
                case "source":
                    volume = volume with { Source = value };
                    break;
                case "readOnly":
                    volume = volume with { ReadOnly = pairs.Flag(key, value) };
                    break;
                case "recursive":
                    volume = volume with { Recursive = pairs.Flag(key, value) };
                    break;
                case "mode":
                    volume = volume with { Mode = value };
                    break;
                case "uid":
                    volume = volume with { Uid = pairs.Number(key, value, long.MaxValue) };
                    break;
                case "gid":
                    volume = volume with { Gid = pairs.Number(key, value, long.MaxValue) };
                    break;
                default:
                    throw pairs.UnknownKey(key);
            }
        }

        volume = volume with { Kind = kind ?? throw pairs.Fault("it must have a kind, 'empty' or 'host'") };
        pairs.Checked(volume, ManifestRules.Check(volume));
        return kind == VolumeKind.Empty
            ? volume with { Mode = volume.Mode ?? DefaultMode, Uid = volume.Uid ?? 0, Gid = volume.Gid ?? 0 }
            : volume;
    }

    /// <summary>The text form that <see cref="Parse"/> reads; members that say what goes without saying are left out.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append(Name).Append(Kind == VolumeKind.Empty ? ",kind=empty" : ",kind=host");
        Append(text, "source", Source);
        Append(text, "readOnly", Word(ReadOnly));
        Append(text, "recursive", Word(Recursive));
        Append(text, "mode", Mode == DefaultMode ? null : Mode);
        Append(text, "uid", Uid is null or 0 ? null : Uid.Value.ToString(CultureInfo.InvariantCulture));
        Append(text, "gid", Gid is null or 0 ? null : Gid.Value.ToString(CultureInfo.InvariantCulture));
        return text.ToString();
    }

    private static string? Word(bool? value) => value switch
    {
        true => "true",
        false => "false",
        null => null,
    };

    private static void Append(StringBuilder text, string key, string? value)
    {
        if (value is not null)
        {
            text.Append(',').Append(key).Append('=').Append(value);
        }
    }
}
