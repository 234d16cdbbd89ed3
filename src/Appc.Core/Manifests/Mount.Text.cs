using System.Buffers;
using Appc.Manifests.Json;

namespace Appc.Manifests;

// The text form of the command line.
public sealed partial record Mount
{
    // Other executors read the text as the query of a URL, where these mean something else than themselves.
    private static readonly SearchValues<char> s_ambiguous = SearchValues.Create("%&;");

    /// <summary>Parses <c>volume=NAME,target=PATH</c>. The path cannot have a comma, nor <c>%</c>, <c>&amp;</c> or <c>;</c>.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Mount Parse(string text)
    {
        PairText pairs = PairText.Parse("mount", text, null);
        Mount mount = new(null!, null!);
        foreach ((string key, string value) in pairs.Pairs)
        {
            mount = key switch
            {
                "volume" => mount with { Volume = pairs.Read(value, AcName.Parse) },
                "target" => mount with { Path = value },
                _ => throw pairs.UnknownKey(key),
            };
        }

        if (mount.Path.AsSpan().ContainsAny(s_ambiguous))
        {
            throw pairs.Fault("its target has a '%', '&' or ';'");
        }

        return pairs.Checked(mount, ManifestRules.Check(mount));
    }

    /// <summary>The text form that <see cref="Parse"/> reads; a volume of the mount's own is not in it.</summary>
    public override string ToString() => $"volume={Volume},target={Path}";
}
