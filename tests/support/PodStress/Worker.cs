using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.PodStress;

/// <summary>
/// Executes the commands of its standard input by the public API, as many at once as there are, and answers each on its standard
/// output. Decides nothing: who drives it knows what must be true.
/// </summary>
internal sealed class Worker
{
    /// <summary>The key of the pods' label.</summary>
    public const string LabelKey = "slot";

    private static readonly TimeSpan Eagerness = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private readonly string _root;
    private readonly PodRuntime _runtime;
    private readonly StoredImage _image;

    private Worker(string root, PodRuntime runtime, StoredImage image)
    {
        _root = root;
        _runtime = runtime;
        _image = image;
    }

    public static async Task<int> RunAsync(string root, string image)
    {
        await using PodRuntime runtime = StressImage.OpenRuntime(root);
        Worker worker = new(root, runtime, await runtime.Images.GetAsync(ImageId.Parse(image)));
        worker.Answer(new PodAnswer());
        while (await Console.In.ReadLineAsync() is { } line)
        {
            PodCommand command = JsonSerializer.Deserialize(line, PodJson.Default.PodCommand)!;
            _ = Task.Run(() => worker.ExecuteAsync(command));
        }

        return 0;
    }

    private async Task ExecuteAsync(PodCommand command)
    {
        Stopwatch clock = Stopwatch.StartNew();
        PodAnswer answer;
        do
        {
            answer = await TryAsync(command);
        }
        while (command.Eager && answer.Failure is nameof(PodFailure.NotFound) or nameof(PodFailure.WrongState) && clock.Elapsed < Eagerness);
        Answer(answer with { Id = command.Id });
    }

    private async Task<PodAnswer> TryAsync(PodCommand command)
    {
        string? uuid = null;
        PodAnswer answer;
        try
        {
            Pod? pod = command.Pod is null ? null : await _runtime.OpenAsync(command.Pod);
            uuid = pod?.Uuid;
            answer = await ExecuteAsync(command, pod);
        }
        catch (AppcException e)
        {
            answer = new PodAnswer { Error = e.GetType().Name, Failure = (e as PodException)?.Failure.ToString(), Message = e.Message };
        }
#pragma warning disable CA1031 // Whatever else it is must not be, and is told.
        catch (Exception e)
#pragma warning restore CA1031
        {
            answer = new PodAnswer { Error = e.GetType().Name, Message = e.ToString() };
        }

        return answer with { Uuid = answer.Uuid ?? uuid };
    }

    private async Task<PodAnswer> ExecuteAsync(PodCommand command, Pod? pod)
    {
        switch (command.Operation)
        {
            case "prepare":
                return new PodAnswer { Uuid = (await _runtime.PrepareAsync(Spec(command))).Uuid };
            case "run":
                return new PodAnswer { Uuid = (await _runtime.RunAsync(Spec(command))).Uuid };
            case "run-prepared":
                await _runtime.RunPreparedAsync(pod!.Uuid);
                return new PodAnswer();
            case "open":
                return new PodAnswer();
            case "status":
                return Seen(await pod!.GetStatusAsync());
            case "stop":
                return Seen(await pod!.StopAsync(TimeSpan.FromMilliseconds(command.Milliseconds)));
            case "wait":
                return await WaitAsync(pod!, TimeSpan.FromMilliseconds(command.Milliseconds));
            case "remove":
                await pod!.RemoveAsync();
                return new PodAnswer();
            case "list":
                return Seen([.. await _runtime.ListAsync(Filter(command))]);
            case "collect":
                GarbageReport report = await _runtime.CollectGarbageAsync(new GarbageOptions
                {
                    GracePeriod = TimeSpan.FromMilliseconds(command.Milliseconds),
                    ExpirePrepared = command.ExpirePrepared ? TimeSpan.Zero : TimeSpan.FromHours(24),
                });
                return new PodAnswer { Removed = report.Removed, Marked = report.Marked, Failures = report.Failures };
            default:
                throw new ArgumentException(command.Operation);
        }
    }

    private static async Task<PodAnswer> WaitAsync(Pod pod, TimeSpan limit)
    {
        using CancellationTokenSource over = new(limit);
        try
        {
            return Seen(await pod.WaitAsync(over.Token));
        }
        catch (OperationCanceledException)
        {
            return new PodAnswer { TimedOut = true };
        }
    }

    private PodSpec Spec(PodCommand command)
    {
        PodSpec spec = new(StressImage.App(_image, _root, command.ExitCode))
        {
            Name = command.Name,
            Lifetime = command.EndsWithHost ? PodLifetime.Host : PodLifetime.Independent,
            RemoveOnExit = command.RemoveOnExit,
            Stage1 = command.Stage1,
            Options = new Stage1Options { RecordsOwnEnd = command.RecordsOwnEnd, OwnControlGroup = command.OwnControlGroup },
        };
        if (command.Label is not null)
        {
            spec.Labels[LabelKey] = command.Label;
        }

        return spec;
    }

    private static PodFilter Filter(PodCommand command)
    {
        PodFilter filter = new() { Name = command.Name };
        if (command.Label is not null)
        {
            filter.Labels[LabelKey] = command.Label;
        }

        if (command.State is not null)
        {
            filter.States.Add(Enum.Parse<PodState>(command.State));
        }

        return filter;
    }

    private static PodAnswer Seen(params PodStatus[] pods) => new()
    {
        Pods =
        [
            .. pods.Select(p => new PodView
            {
                Uuid = p.Uuid,
                State = p.State.ToString(),
                Name = p.Name,
                Label = p.Labels.GetValueOrDefault(LabelKey),
                Started = p.Started is not null,
                End = p.HasEnded && p.Apps.Count > 0 ? EndOf(p.Apps[0]) : null,
                HasApp = p.Apps.Count > 0,
            }),
        ],
    };

    private static string EndOf(AppStatus app) =>
        app.ExitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $"exit:{code}") : app.Signal ?? "unknown";

    private void Answer(PodAnswer answer)
    {
        string line = JsonSerializer.Serialize(answer, PodJson.Default.PodAnswer);
        lock (_gate)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
