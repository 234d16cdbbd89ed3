using System.Diagnostics;
using System.Globalization;
using Appc.Conformance.Tests.Cli;
using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>Draws the steps, has workers execute them, kills workers, and compares what is there with the model after each.</summary>
internal sealed class ModelRun : IAsyncDisposable
{
    private const int Workers = 4;

    // After so many steps all pods are ended and collected, and nothing may be left.
    private const int Sweep = 100;

    private readonly string _home = Directory.CreateTempSubdirectory("appc-model-").FullName;
    private readonly int _seed;
    private readonly bool _nspawn;
    private readonly PodModel _model = new();
    private readonly ModelWorker[] _workers = new ModelWorker[Workers];
    private readonly Queue<Task<ModelWorker>> _spares = new();
    private readonly List<(ModelOperation Operation, Task<PodAnswer?> Answer)> _waits = [];
    private readonly string[] _slots = [.. Enumerable.Range(1, ModelStep.Slots).Select(i => new Guid(i, 0, 0, new byte[8]).ToString())];
    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);
    private readonly List<string> _trail = [];
    private string _image = string.Empty;
    private int _started;
    private int _step;

    public ModelRun(int seed, bool nspawn)
    {
        _seed = seed;
        _nspawn = nspawn;
    }

    private string Root => Path.Combine(_home, "data");

    /// <summary>How often each operation was done, and with what.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    public async Task RunAsync(int steps)
    {
        _image = (await Programs.MustAsync(ModelWorker.Program, "image", Root)).Trim();
        for (int i = 0; i < Workers + 2; i++)
        {
            _spares.Enqueue(StartAsync());
        }

        for (int i = 0; i < Workers; i++)
        {
            _workers[i] = await _spares.Dequeue();
        }

        try
        {
            for (_step = 1; _step <= steps; _step++)
            {
                await StepAsync(ModelStep.Draw(_seed, _step, Workers, _nspawn, slot => _slots[slot]));
                if (_step % Sweep == 0 || _step == steps)
                {
                    await SweepAsync();
                }
            }
        }
        catch (Exception e) when (e is ModelException or TimeoutException)
        {
            throw new ModelException(string.Create(CultureInfo.InvariantCulture, $"APPC_MODEL_SEED={_seed}, step {_step}: {e.Message}\nthe last steps:\n{string.Join('\n', _trail.TakeLast(30))}"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ModelWorker worker in _workers.Where(w => w is not null))
        {
            await worker.DisposeAsync();
        }

        while (_spares.TryDequeue(out Task<ModelWorker>? spare))
        {
            await (await spare).DisposeAsync();
        }

        await ModelTraces.EndAllAsync(Root);
        Directory.Delete(_home, recursive: true);
    }

    private async Task StepAsync(ModelStep step)
    {
        List<ModelOperation> operations = [];
        List<Task<PodAnswer?>> answers = [];
        foreach ((int number, PodCommand command) in step.Commands)
        {
            Spin(step.Lag);
            ModelOperation operation = new(command, _workers[number]);
            Task<PodAnswer?> answer = operation.Worker.ExecuteAsync(command);
            if (command.Milliseconds == ModelStep.WaitsOn && command.Operation == "wait")
            {
                _waits.Add((operation, answer));
            }
            else
            {
                operations.Add(operation);
                answers.Add(answer);
            }
        }

        if (step.Victim is { } victim)
        {
            await KillAsync(victim, step.Delay);
        }

        await AnsweredAsync(operations, answers);
        foreach ((int number, PodCommand command) in step.Commands)
        {
            ModelOperation? operation = operations.Find(o => ReferenceEquals(o.Command, command));
            if (operation is { Creates: true, Answer.Uuid: { } uuid })
            {
                _slots[command.Label![^1] - '0'] = uuid;
            }
        }

        await CheckAsync(operations, step.Observer);
    }

    private async Task AnsweredAsync(List<ModelOperation> operations, List<Task<PodAnswer?>> answers)
    {
        for (int i = 0; i < operations.Count; i++)
        {
            try
            {
                operations[i].Answer = await answers[i].WaitAsync(Programs.Patience);
            }
            catch (TimeoutException)
            {
                throw new ModelException(string.Join('\n', _workers.Select(w => w.Fault).Where(f => f is not null).Prepend($"no answer: {operations[i]}")));
            }

            string what = operations[i].Command.Operation + (operations[i].Answer switch { null => " killed", { Failure: { } failure } => " " + failure, _ => "" });
            _done[what] = _done.GetValueOrDefault(what) + 1;
            _trail.Add(string.Create(CultureInfo.InvariantCulture, $"{_step}: {operations[i]}"));
        }
    }

    private async Task KillAsync(int victim, TimeSpan delay)
    {
        Spin(delay);
        ModelWorker killed = _workers[victim];
        killed.Kill();
        _spares.Enqueue(StartAsync());
        await killed.WaitAsync();
        await killed.DisposeAsync();
        _workers[victim] = await _spares.Dequeue();
        _trail.Add(string.Create(CultureInfo.InvariantCulture, $"{_step}: {killed.Name} was killed after {delay.TotalMilliseconds:F3} ms, and is followed by {_workers[victim].Name}"));
        _done["kills"] = _done.GetValueOrDefault("kills") + 1;
    }

    /// <summary>Waits for times shorter than a timer can wait for.</summary>
    private static void Spin(TimeSpan time)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < time)
        {
            Thread.SpinWait(20);
        }
    }

    private Task<ModelWorker> StartAsync() => ModelWorker.StartAsync(string.Create(CultureInfo.InvariantCulture, $"worker-{++_started}"), Root, _image);

    /// <summary>Compares what is there with what may be, until what happens by itself has happened.</summary>
    private async Task CheckAsync(IReadOnlyList<ModelOperation> operations, int observer)
    {
        foreach (ModelWorker worker in _workers)
        {
            if (worker.Fault is { } fault)
            {
                throw new ModelException(fault);
            }
        }

        _model.Apply(operations, ModelTraces.Directories(Root), _step.ToString(CultureInfo.InvariantCulture));
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            ModelOperation look = new(new PodCommand { Operation = "list" }, _workers[observer]);
            look.Answer = await look.Worker.ExecuteAsync(look.Command).WaitAsync(Programs.Patience) ?? throw new ModelException($"no answer: {look} {look.Worker.Fault}");
            if (look.Answer.Error is not null)
            {
                throw new ModelException($"the pods cannot be listed: {look}");
            }

            if (_model.Observe(look.Answer.Pods, ModelTraces.Directories(Root)) is not { } unsettled)
            {
                break;
            }

            if (Stopwatch.GetElapsedTime(begin) > Programs.Patience)
            {
                throw new ModelException($"in vain was waited for what has to come by itself: {unsettled}");
            }

            await Task.Delay(2);
        }

        await CheckWaitsAsync();
    }

    /// <summary>Who waits for the end of a pod that has ended is told.</summary>
    private async Task CheckWaitsAsync()
    {
        foreach ((ModelOperation wait, Task<PodAnswer?> answer) in _waits.ToList())
        {
            ModelPod? pod = _model.Pods.FirstOrDefault(p => p.Uuid == wait.Command.Pod);
            if (answer.IsCompleted || wait.Worker.Killed || pod is null || (pod.Phases & (PodPhases.Running | PodPhases.Prepared)) == 0)
            {
                try
                {
                    wait.Answer = await answer.WaitAsync(Programs.Patience);
                }
                catch (TimeoutException)
                {
                    throw new ModelException($"a waiter was not woken: {wait}\n{string.Join('\n', pod?.History ?? [])}");
                }

                _model.CheckWait(wait);
                _waits.RemoveAll(w => ReferenceEquals(w.Operation, wait));
                _done["wait on"] = _done.GetValueOrDefault("wait on") + 1;
            }
        }
    }

    /// <summary>Ends and collects all pods; then nothing is left of them.</summary>
    private async Task SweepAsync()
    {
        List<ModelOperation> stops =
        [
            .. _model.Pods.Where(p => (p.Phases & PodPhases.Running) != 0)
                .Select((p, i) => new ModelOperation(new PodCommand { Operation = "stop", Pod = p.Uuid }, _workers[i % Workers])),
        ];
        await AnsweredAsync(stops, [.. stops.Select(s => s.Worker.ExecuteAsync(s.Command))]);
        await CheckAsync(stops, _step % Workers);
        ModelOperation collect = new(new PodCommand { Operation = "collect", ExpirePrepared = true }, _workers[_step / Sweep % Workers]);
        await AnsweredAsync([collect], [collect.Worker.ExecuteAsync(collect.Command)]);
        await CheckAsync([collect], _step % Workers);
        if (_model.Pods.Count > 0)
        {
            throw new ModelException($"the collection left pods: {string.Join(' ', _model.Pods.Select(p => $"{p.Uuid} {p.Phases}"))}");
        }

        List<ModelWorker> living = [.. _workers];
        foreach (Task<ModelWorker> spare in _spares)
        {
            living.Add(await spare);
        }

        await ModelTraces.RequireNoneAsync(Root, _model.Gone, [.. living.Select(w => w.Pid)]);
    }
}
