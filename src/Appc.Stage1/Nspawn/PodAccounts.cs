using System.Globalization;
using System.Text;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Names for the ids that a pod's apps use. The systemd inside takes ids only by a name that its own passwd and group
/// know, so each pod has these two files; nobody is listed as a member, so that nobody joins a group unasked.
/// </summary>
internal static class PodAccounts
{
    internal static string UserName(uint uid) => uid == 0 ? "root" : string.Create(CultureInfo.InvariantCulture, $"u{uid}");

    internal static string GroupName(uint gid) => gid == 0 ? "root" : string.Create(CultureInfo.InvariantCulture, $"g{gid}");

    internal static string Passwd(IReadOnlyList<NspawnApp> apps)
    {
        StringBuilder text = new("root:x:0:0::/:/bin/sh\n");
        foreach (var user in apps.Select(a => a.User).Where(u => u.Uid != 0).DistinctBy(u => u.Uid))
        {
            text.Append(CultureInfo.InvariantCulture, $"{UserName(user.Uid)}:x:{user.Uid}:{user.Gid}::/:/bin/sh\n");
        }

        return text.ToString();
    }

    internal static string Group(IReadOnlyList<NspawnApp> apps)
    {
        StringBuilder text = new("root:x:0:\n");
        foreach (uint gid in apps.SelectMany(a => (IEnumerable<uint>)[a.User.Gid, .. a.User.Groups]).Where(g => g != 0).Distinct())
        {
            text.Append(CultureInfo.InvariantCulture, $"{GroupName(gid)}:x:{gid}:\n");
        }

        return text.ToString();
    }
}
