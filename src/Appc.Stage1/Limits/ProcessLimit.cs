using System.Globalization;
using Appc.Manifests;

namespace Appc.Stage1.Limits;

/// <summary>
/// Limits of an app's processes (setrlimit(2)). The specification has no isolators for them, so they are annotations of
/// the app in the pod: <c>appc.io/executor/rlimit/nofile</c> and the like, with one number for both limits,
/// <c>SOFT:HARD</c>, or <c>infinity</c>. Those of images do not count: they could raise what the host has set.
/// </summary>
/// <param name="Name">Lower case, without RLIMIT_.</param>
/// <param name="Resource">The kernel's number.</param>
/// <param name="Soft">What applies.</param>
/// <param name="Hard">How far the app may raise it.</param>
internal sealed record ProcessLimit(string Name, int Resource, ulong Soft, ulong Hard)
{
    internal const string Prefix = "appc.io/executor/rlimit/";

    private const string Infinity = "infinity";

    private static readonly string[] Names =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
    ];

    /// <summary>The limits of an app.</summary>
    /// <exception cref="LaunchException">One of them cannot be read.</exception>
    internal static IReadOnlyList<ProcessLimit> Of(RuntimeApp app, string subject) =>
        [.. app.Annotations.Where(a => a.Name.ToString().StartsWith(Prefix, StringComparison.Ordinal)).Select(a => Read(a, $"{subject}: the app {app.Name}"))];

    /// <summary>As systemd writes it.</summary>
    public override string ToString() => $"{Text(Soft)}:{Text(Hard)}";

    private static ProcessLimit Read(Annotation annotation, string subject)
    {
        string name = annotation.Name.ToString()[Prefix.Length..];
        int resource = Array.IndexOf(Names, name);
        string[] parts = annotation.Value.Split(':');
        if (resource < 0)
        {
            throw Failure($"there is no limit '{name}'", "There are " + string.Join(", ", Names) + ".");
        }

        return parts.Length is 1 or 2 && Number(parts[0]) is { } soft && Number(parts[^1]) is { } hard && soft <= hard
            ? new ProcessLimit(name, resource, soft, hard)
            : throw Failure($"'{annotation.Value}' is no limit", "It is a number, or two as SOFT:HARD, or infinity.");

        LaunchException Failure(string problem, string hint) =>
            new("read the limits", 0, Printable.Text($"{subject} has the annotation {annotation.Name}, but {problem}"), hint);
    }

    private static ulong? Number(string text) => text == Infinity ? ulong.MaxValue
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number
        : null;

    private static string Text(ulong value) => value == ulong.MaxValue ? Infinity : value.ToString(CultureInfo.InvariantCulture);
}
