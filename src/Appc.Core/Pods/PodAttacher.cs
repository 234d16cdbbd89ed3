using System.Diagnostics;
using Appc.Diagnostics;
using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Attaches to the streams of apps: the input is the flavour's, the output is what the app's log files get.</summary>
internal sealed class PodAttacher(PodDirectories pods, PodSupervisor supervisor)
{
    public async Task<PodAttachment> AttachAsync(string uuid, string? app, AttachOptions options, CancellationToken cancellationToken)
    {
        PodLocation location = pods.Find(uuid) ?? throw new PodException(PodFailure.NotFound, $"the pod {uuid} is gone");
        PodState state = supervisor.Look(uuid).State;
        if (state is PodState.Preparing or PodState.Prepared or PodState.AbortedPrepare)
        {
            throw new PodException(PodFailure.WrongState, $"the pod {uuid} was not started: there is nothing to attach to");
        }

        (IStage1 flavour, Stage1Pod pod) = supervisor.Describe(location);
        Stage1App target = PodSupervisor.FindApp(pod, app);
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.pod.attach");
        activity?.SetTag("appc.pod.uuid", uuid).SetTag("appc.app", target.Name.ToString());
        if (options.Input == true && target.Input == AppInput.None)
        {
            throw new PodException(
                PodFailure.WrongState, $"the app {target.Name} of the pod {uuid} has no standard input", "it must be asked for when the pod is made: AppSpec.Input, or 'appc run --interactive'");
        }

        // Before the input is waited for, so that no output is missed.
        FileStream? output = OpenLog(pod.StandardOutputPath(target.Name), options.FromStart);
        FileStream? error = null;
        Stage1Attachment? input = null;
        try
        {
            error = target.Input == AppInput.Terminal ? null : OpenLog(pod.StandardErrorPath(target.Name), options.FromStart);
            input = await AttachInputAsync(flavour, pod, location, target, state, options, cancellationToken).ConfigureAwait(false);
            if (options.Size is { } size)
            {
                input?.Resize?.Invoke(size);
            }

            AppStatus unknown = new() { Name = target.Name, ImageId = target.Runtime.Image.Id, State = AppState.Unknown };
            AppWatch watch = new(location.Directory, unknown, () => supervisor.Look(uuid), token => supervisor.WaitAsync(uuid, token), input?.DrainAsync);
            return new PodAttachment(
                target.Input,
                options.Input == false ? null : input,
                new AppOutputStream(output, watch),
                target.Input == AppInput.Terminal ? null : new AppOutputStream(error, watch),
                watch);
        }
        catch
        {
            output?.Dispose();
            error?.Dispose();
            input?.Input.Dispose();
            input?.Release?.Invoke();
            throw;
        }
    }

    private async Task<Stage1Attachment?> AttachInputAsync(
        IStage1 flavour, Stage1Pod pod, PodLocation location, Stage1App app, PodState state, AttachOptions options, CancellationToken cancellationToken)
    {
        // Also without the input, a terminal must be known: by it one sees when all of its output has come.
        bool wanted = app.Input == AppInput.Terminal || (app.Input == AppInput.Stream && options.Input != false);
        Stage1Attachment? input = wanted && state == PodState.Running && flavour is IStage1Attach stage1
            ? await stage1.AttachAsync(pod, supervisor.FirstProcessOf(location), app.Name, cancellationToken).ConfigureAwait(false)
            : null;
        return input is null && options.Input == true
            ? throw new PodException(PodFailure.WrongState, $"the standard input of the app {app.Name} of the pod {pod.Uuid} has ended", "attach without it to see the output")
            : input;
    }

    private static FileStream? OpenLog(string path, bool fromStart)
    {
        try
        {
            FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (!fromStart)
            {
                file.Seek(0, SeekOrigin.End);
            }

            return file;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
