using System.Net.Sockets;
using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

/// <summary>Stays with a pod in the foreground: passes its output on, and ends with its exit code.</summary>
internal static class PodRunner
{
    private static readonly string[] Own = ["detach", "rm", "journal", "register", "scope", "detach-keys"];

    /// <summary>Defines the options of those commands that start pods.</summary>
    public static void Define(OptionSet options) => options.Flag("detach").Flag("rm").Flag("journal").Flag("register").Flag("scope").Value("detach-keys");

    /// <summary>Whether an option is one of <see cref="Define"/>, and so neither the pod's nor an app's.</summary>
    public static bool IsOwn(string option) => Own.Contains(option);

    /// <summary>Takes over what the options say about how pods are started here.</summary>
    public static void Configure(Arguments arguments, CliContext context)
    {
        context.Nspawn.Journal = arguments.Has("journal");
        context.Nspawn.Register = arguments.Has("register");
        context.Nspawn.Scope = arguments.Has("scope");
    }

    /// <summary>Stays with a pod that was started, or leaves it.</summary>
    public static async Task<int> GoOnAsync(CliContext context, Arguments arguments, Pod pod, bool remove, bool interactive, CancellationToken cancellationToken)
    {
        if (arguments.Has("detach"))
        {
            context.Out.WriteLine(pod.Uuid);
            await AnnounceAsync(context, pod, leaves: true, cancellationToken);
            return ExitCodes.Success;
        }

        return interactive
            ? await InteractAsync(context, arguments, pod, remove, cancellationToken)
            : await AttendAsync(context, pod, remove, cancellationToken);
    }

    /// <summary>Attaches the caller to the pod's only app, until that has ended or the caller types the keys to detach.</summary>
    private static async Task<int> InteractAsync(CliContext context, Arguments arguments, Pod pod, bool remove, CancellationToken interrupted)
    {
        DetachKeys keys = DetachKeys.Parse(arguments.Get("detach-keys"));
        Task announcing = AnnounceAsync(context, pod, leaves: false, interrupted);
        try
        {
            if (!await AttachedCaller.StayAsync(pod, null, new AttachOptions { FromStart = true, Input = null }, closeInput: true, keys, interrupted))
            {
                context.Reporter.Note($"appc: detached from pod {pod.Uuid}, which goes on");
                return ExitCodes.Success;
            }
        }
        catch (OperationCanceledException)
        {
            Tell(context, c => c.NotifyStopping());
            await pod.StopAsync(cancellationToken: CancellationToken.None);
        }

        await announcing;
        PodStatus status = await pod.WaitAsync(CancellationToken.None);
        if (remove)
        {
            await pod.RemoveAsync(CancellationToken.None);
        }

        return status.ExitCode ?? ExitCodes.Failure;
    }

    /// <summary>Waits for the pod; a signal stops it first.</summary>
    private static async Task<int> AttendAsync(CliContext context, Pod pod, bool remove, CancellationToken interrupted)
    {
        await using Stream output = Console.OpenStandardOutput();
        await using Stream error = Console.OpenStandardError();
        Task copying = pod.CopyLogsAsync(output, error, follow: true, cancellationToken: CancellationToken.None);
        Task announcing = AnnounceAsync(context, pod, leaves: false, interrupted);
        PodStatus status;
        try
        {
            status = await pod.WaitAsync(interrupted);
        }
        catch (OperationCanceledException)
        {
            Tell(context, c => c.NotifyStopping());
            context.Reporter.Note($"appc: stopping pod {pod.Uuid}");
            status = await pod.StopAsync(cancellationToken: CancellationToken.None);
        }

        await announcing;
        try
        {
            await copying;
        }
        catch (IOException)
        {
            // Nobody reads our output any more; the pod's end still counts.
        }

        if (remove)
        {
            await pod.RemoveAsync(CancellationToken.None);
        }

        if (context.Options.Debug)
        {
            foreach (AppStatus app in status.Apps)
            {
                context.Reporter.Debug($"debug: pod {pod.Uuid}: app {app.Name}: {PodText.End(app)}");
            }
        }

        return status.ExitCode ?? ExitCodes.Failure;
    }

    /// <summary>
    /// Tells the unit that this program runs in when the pod is ready, and if this program is about to end, that the pod's first process
    /// is the unit's main process from now on: else the service would end with this program, and the pod with the service.
    /// </summary>
    private static async Task AnnounceAsync(CliContext context, Pod pod, bool leaves, CancellationToken interrupted)
    {
        if (!context.Caller.AwaitsReadiness)
        {
            return;
        }

        try
        {
            PodStatus status = await pod.WaitUntilReadyAsync(cancellationToken: interrupted);
            Tell(context, c =>
            {
                if (leaves && status.Pid is { } main)
                {
                    c.NotifyReady(main);
                }
                else
                {
                    c.NotifyReady();
                }
            });
        }
        catch (Exception e) when (e is PodException or OperationCanceledException)
        {
            // It ended before it was ready, which its end tells.
        }
    }

    private static void Tell(CliContext context, Action<CallerUnit> tell)
    {
        try
        {
            tell(context.Caller);
        }
        catch (SocketException e)
        {
            // The pod matters more than who watches it.
            context.Reporter.Note($"appc: the service manager cannot be told: {e.Message}");
        }
    }

    /// <summary>Whether the pod is to be removed at its end; only who stays with it can do that.</summary>
    public static bool Removes(Arguments arguments) => arguments.Has("rm") && arguments.Has("detach")
        ? throw new UsageException("--rm and --detach exclude each other: nobody would be left to remove the pod ('appc gc' does)")
        : arguments.Has("rm");

    public static async Task SaveUuidAsync(Arguments options, string uuid)
    {
        if (options.Get("uuid-file-save") is { } file)
        {
            await File.WriteAllTextAsync(file, uuid + "\n");
        }
    }
}
