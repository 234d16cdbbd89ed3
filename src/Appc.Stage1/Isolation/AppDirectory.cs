using System.Globalization;
using Appc.Linux;
using Tmds.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>
/// The working directory of an app: it must be there, and the app's user must be allowed to enter it, or the app is not executed
/// (aci.md, <c>workingDirectory</c>). What the image alone decides is decided before anything is written; what volumes
/// cover is looked at when they are mounted.
/// </summary>
internal static class AppDirectory
{
    private const string StepOf = "find the working directory ";

    // There in every pod, whether the image has it or not.
    private const string MadeAnew = "/run";

    // What is mounted there is nobody's but the kernel's.
    private static readonly string[] OfTheKernel = ["/proc", "/sys", "/dev"];

    /// <summary>The path; the root if the manifest names none.</summary>
    internal static string Of(Stage1App app) => app.App.WorkingDirectory.Length == 0 ? "/" : app.App.WorkingDirectory;

    /// <summary>Looks at the image.</summary>
    /// <param name="app">The app.</param>
    /// <param name="user">Its user.</param>
    /// <param name="entersAny">Whether it may enter any directory, whatever its mode.</param>
    /// <param name="tree">The image.</param>
    /// <param name="subject">The pod, for messages.</param>
    /// <returns>The path as systemd takes it, which knows no "..".</returns>
    /// <exception cref="LaunchException">It is not there, or not for the app's user.</exception>
    internal static string Check(Stage1App app, AppUser user, bool entersAny, ImageTree tree, string subject)
    {
        string path = Of(app);
        if (path.Split('/').Contains(".."))
        {
            path = tree.Canonical(path) ?? throw Failure(app, subject, "does not exist in the image");
        }

        if (path.TrimEnd('/') == MadeAnew || IsOfTheKernel(path) || app.Runtime.Mounts.Any(m => MountPath.IsIn(path, m.Path)))
        {
            return path;
        }

        if (tree.Stat(path) is not { } stat)
        {
            // A volume may be mounted where a link on the way leads.
            return app.Runtime.Mounts.Count > 0 ? path : throw Failure(app, subject, "does not exist in the image");
        }

        if (stat.Type != Libc.S_IFDIR)
        {
            throw Failure(app, subject, "is not a directory");
        }

        string way = "/";
        foreach (string name in entersAny ? [] : path.Split('/', StringSplitOptions.RemoveEmptyEntries).Prepend("."))
        {
            way = name == "." ? way : way.TrimEnd('/') + "/" + name;
            if (tree.Stat(way) is { } step && !MayEnter(step, user))
            {
                throw Failure(app, subject, string.Create(
                    CultureInfo.InvariantCulture, $"cannot be entered by the user {user.Uid}: {way} has the mode {Convert.ToString(step.Mode & 0xfff, 8)} and is of {step.Uid}:{step.Gid}"));
            }
        }

        return path;
    }

    /// <summary>Adds the step that looks whether it is there, beneath the app's root with its volumes.</summary>
    internal static void Add(LaunchPlan plan, Stage1App app, LaunchArgument root)
    {
        // Volumes below /run are mounted later.
        bool isLater = MountPath.IsIn(Of(app), MadeAnew) && app.Runtime.Mounts.Any(m => MountPath.IsIn(m.Path, MadeAnew));
        if (app.Runtime.Mounts.Count > 0 && !IsOfTheKernel(Of(app)) && !isLater)
        {
            string step = $"{StepOf}{Of(app)} of the app {app.Name}";
            plan.Close(step, plan.OpenInRoot(step, root, Of(app), LibC.O_PATH | LibC.O_DIRECTORY));
        }
    }

    /// <summary>What a failed step means; null if it is another one.</summary>
    internal static LaunchException? Explain(LaunchException e, string subject) => e.Step.StartsWith(StepOf, StringComparison.Ordinal)
        ? new LaunchException(
            "find the working directory",
            e.Errno,
            Printable.Text($"{subject}: the {e.Step["find the ".Length..]} " + (e.Errno == Errno.ENOTDIR ? "is not a directory" : "does not exist in the image or its volumes")),
            "Set another working directory, or make it in the image or the volume.",
            e)
        : null;

    private static bool MayEnter(Libc.Statx directory, AppUser user)
    {
        const int Enter = 1;
        int bits = directory.Uid == user.Uid ? directory.Mode >> 6
            : directory.Gid == user.Gid || user.Groups.Contains(directory.Gid) ? directory.Mode >> 3
            : directory.Mode;
        return (bits & Enter) != 0;
    }

    private static bool IsOfTheKernel(string path) => OfTheKernel.Any(k => MountPath.IsIn(path, k));

    private static LaunchException Failure(Stage1App app, string subject, string why) => new(
        "find the working directory",
        0,
        Printable.Text($"{subject}: the working directory {Of(app)} of the app {app.Name} {why}"),
        "Set another working directory, or make it in the image.");
}
