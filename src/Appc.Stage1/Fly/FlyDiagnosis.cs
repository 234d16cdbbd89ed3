using Appc.Linux;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Fly;

/// <summary>Says in the user's terms why a launch failed. The kernel's error numbers alone mislead here.</summary>
internal static class FlyDiagnosis
{
    private const int NoExec = 8;

    internal static LaunchException Explain(LaunchException failure, Stage1App app, ImageTree tree, string subject)
    {
        if (failure.Step.StartsWith("execute ", StringComparison.Ordinal))
        {
            return ExplainProgram(failure, app, tree, subject);
        }

        if (failure.Step.StartsWith("enter the working directory", StringComparison.Ordinal))
        {
            string directory = app.App.WorkingDirectory;
            string why = failure.Errno switch
            {
                Errno.ENOENT => "does not exist in the image",
                Errno.ENOTDIR => "is not a directory",
                _ => "cannot be entered: " + Errno.Describe(failure.Errno),
            };
            return Because(failure, $"{subject}: the working directory {directory} of the app {app.Name} {why}", "Set another working directory, or make it in the image.");
        }

        if (failure.Step.StartsWith("limit ", StringComparison.Ordinal) && failure.Errno == Errno.EPERM)
        {
            return Because(failure, failure.Message, "Only a process with CAP_SYS_RESOURCE gives an app more than it has itself.");
        }

        if (failure.Step == "mount the app's root" && failure.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
        {
            return Because(
                failure, failure.Message, "The data directory must lie on a file system that can hold an overlay's upper layer (ext4, xfs, btrfs, tmpfs).");
        }

        return failure;
    }

    private static LaunchException ExplainProgram(LaunchException failure, Stage1App app, ImageTree tree, string subject)
    {
        string program = app.App.Exec[0];
        string path = app.App.Environment.LastOrDefault(e => e.Name == "PATH")?.Value ?? AppEnvironment.DefaultPath;
        IReadOnlyList<string> candidates = ProgramSearch.Candidates(program, app.App.WorkingDirectory, path);
        foreach (string candidate in candidates)
        {
            if (tree.Stat(candidate) is not { } stat)
            {
                continue;
            }

            string? why =
                stat.Type == Libc.S_IFDIR ? "is a directory"
                : stat.Type != Libc.S_IFREG ? "is not a regular file"
                : (stat.Mode & 0x49) == 0 ? "is not executable"
                : failure.Errno == NoExec ? "is not a program for this machine"
                : failure.Errno == Errno.ENOENT ? "needs an interpreter or dynamic loader that the image does not have"
                : failure.Errno == Errno.EACCES ? "may not be executed by the app's user"
                : "cannot be executed: " + Errno.Describe(failure.Errno);
            return Because(failure, $"{subject}: {candidate} of the app {app.Name} {why}", null);
        }

        return candidates.Count == 1
            ? Because(failure, $"{subject}: the program {candidates[0]} of the app {app.Name} cannot be executed: {Errno.Describe(failure.Errno)}", "Check exec in the manifest against the files of the image.")
            : Because(failure, $"{subject}: the program {program} of the app {app.Name} is in no directory of its PATH ({path})", "Name it by its absolute path, or set PATH.");
    }

    private static LaunchException Because(LaunchException failure, string message, string? hint) =>
        new(Printable.Text(failure.Step), failure.Errno, Printable.Text(message), hint ?? failure.Hint, failure);
}
