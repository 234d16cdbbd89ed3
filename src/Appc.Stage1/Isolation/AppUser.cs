using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>As whom an app runs: the ids of the manifest, looked up in the app's own image.</summary>
/// <param name="Uid">The user id.</param>
/// <param name="Gid">The group id.</param>
/// <param name="Groups">The supplementary groups.</param>
/// <param name="Name">The user's name in the image; null if the image does not name it.</param>
/// <param name="Home">The home directory; <c>/</c> if the image does not say.</param>
/// <param name="Shell">The shell; <c>/bin/sh</c> if the image does not say.</param>
internal sealed record AppUser(uint Uid, uint Gid, IReadOnlyList<uint> Groups, string? Name, string Home, string Shell)
{
    /// <summary>Root, whatever the image says of it.</summary>
    internal static AppUser Root { get; } = new(0, 0, [], "root", "/root", "/bin/sh");

    /// <summary>
    /// Looks up user and group: a number, a name in the image's <c>/etc/passwd</c> or <c>/etc/group</c>, or the
    /// absolute path of a file of the image whose owner is meant (aci.md, <c>user</c> and <c>group</c>).
    /// </summary>
    /// <exception cref="LaunchException">The image has no such user, group or file.</exception>
    internal static AppUser Resolve(App app, ImageTree tree, string subject)
    {
        IReadOnlyList<string[]> passwd = ReadTable(tree, "/etc/passwd");
        uint uid = ResolveId(app.User, "user", passwd, tree, static s => s.Uid, subject);
        uint gid = ResolveId(
            app.Group, "group", IsNameOf(app.Group) ? ReadTable(tree, "/etc/group") : [], tree, static s => s.Gid, subject);
        uint[] groups = [.. app.SupplementaryGids.Select(g => g is >= 0 and < uint.MaxValue
            ? (uint)g
            : throw Failure("group", subject, string.Create(CultureInfo.InvariantCulture, $"there is no group {g}, which the app wants as a supplementary one")))];

        string[]? entry = passwd.FirstOrDefault(e => e[0] == app.User && IsNameOf(app.User))
            ?? passwd.FirstOrDefault(e => TryParseId(e[2], out uint id) && id == uid);
        return new AppUser(
            uid,
            gid,
            groups,
            entry?[0] ?? (uid == 0 ? "root" : null),
            entry is { Length: >= 6 } && entry[5].StartsWith('/') ? entry[5] : "/",
            entry is { Length: >= 7 } && entry[6].StartsWith('/') ? entry[6] : "/bin/sh");
    }

    private static bool IsNameOf(string text) => !text.StartsWith('/') && !TryParseId(text, out _);

    private static uint ResolveId(
        string text, string kind, IReadOnlyList<string[]> table, ImageTree tree, Func<Libc.Statx, uint> owner, string subject)
    {
        if (TryParseId(text, out uint id))
        {
            return id;
        }

        if (text.StartsWith('/'))
        {
            return tree.Stat(text) is { } stat
                ? owner(stat)
                : throw Failure(kind, subject, $"the image has no file {text} whose {kind} the app would run as");
        }

        foreach (string[] entry in table)
        {
            if (entry[0] == text && TryParseId(entry[2], out id))
            {
                return id;
            }
        }

        string file = kind == "user" ? "/etc/passwd" : "/etc/group";
        throw Failure(kind, subject, $"the image has no {kind} named '{text}' in its {file}");
    }

    private static LaunchException Failure(string kind, string subject, string message) => new(
        $"find the {kind}",
        0,
        Printable.Text($"{subject}: {message}"),
        $"Name a {kind} that the image knows, or use its number.");

    /// <summary>An id; 4294967295 is none, as the calls that take ids say "leave it" with it.</summary>
    private static bool TryParseId(string text, out uint id) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id != uint.MaxValue;

    private static List<string[]> ReadTable(ImageTree tree, string path)
    {
        List<string[]> entries = [];
        if (tree.ReadFile(path) is { } content)
        {
            foreach (string line in Encoding.UTF8.GetString(content).Split('\n'))
            {
                string[] fields = line.Split(':');
                if (fields.Length >= 3 && fields[0].Length > 0)
                {
                    entries.Add(fields);
                }
            }
        }

        return entries;
    }
}
