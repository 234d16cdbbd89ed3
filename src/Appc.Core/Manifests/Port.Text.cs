using System.Globalization;
using Appc.Manifests.Json;

namespace Appc.Manifests;

// The text form of the command line.
public sealed partial record Port
{
    /// <summary>Parses <c>NAME,port=NUMBER[,protocol=NAME][,count=NUMBER][,socketActivated=BOOL]</c>. A value cannot have a comma.</summary>
    /// <returns>The port; its protocol is empty where the text has none.</returns>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Port Parse(string text)
    {
        PairText pairs = PairText.Parse("port", text, "name");
        Port port = new() { Protocol = "" };
        foreach ((string key, string value) in pairs.Pairs)
        {
            port = key switch
            {
                "name" => port with { Name = pairs.Read(value, AcName.Parse) },
                "protocol" => port with { Protocol = value },
                "port" => port with { Number = (int)pairs.Number(key, value, 65535) },
                "count" => port with { Count = (int)pairs.Number(key, value, 65535) },
                "socketActivated" => port with { SocketActivated = pairs.Flag(key, value) },
                _ => throw pairs.UnknownKey(key),
            };
        }

        return pairs.Checked(port, ManifestRules.Check(port));
    }

    /// <summary>The text form that <see cref="Parse"/> reads; members that say what goes without saying are left out.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name}{(Protocol is { Length: > 0 } ? ",protocol=" + Protocol : "")},port={Number}")
        + (Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $",count={Count}"))
        + (SocketActivated ? ",socketActivated=true" : "");
}
