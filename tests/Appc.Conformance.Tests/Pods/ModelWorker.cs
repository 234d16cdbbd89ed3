using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Appc.Conformance.Tests.Cli;
using Appc.PodStress;

namespace Appc.Conformance.Tests.Pods;

/// <summary>A process that executes commands (tests/support/PodStress), and can be killed at any moment.</summary>
internal sealed class ModelWorker : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource<PodAnswer?>> _asked = new();
    private readonly StringBuilder _errors = new();
    private readonly Process _process;
    private readonly Task _reading;
    private readonly TaskCompletionSource<PodAnswer?> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _ended;
    private int _last;

    private ModelWorker(string name, Process process)
    {
        Name = name;
        _process = process;
        _asked[0] = _ready;
        process.ErrorDataReceived += (_, line) => _errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        _reading = ReadAsync();
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "stress", "PodStress");

    public string Name { get; }

    public int Pid => _process.Id;

    public bool Killed { get; private set; }

    /// <summary>What became of a worker that ended although nobody killed it; null if it did not.</summary>
    public string? Fault => !Killed && _process.HasExited ? $"the worker {Name} ended by itself with {_process.ExitCode}: {_errors}" : null;

    public static async Task<ModelWorker> StartAsync(string name, string root, string image)
    {
        ModelWorker worker = new(name, Programs.Start(Program, ["worker", root, image], input: true));
        Assert.NotNull(await worker._ready.Task.WaitAsync(Programs.Patience));
        return worker;
    }

    /// <summary>Gives a command; the answer is null if the worker ends before it gives one.</summary>
    public Task<PodAnswer?> ExecuteAsync(PodCommand command)
    {
        int id = ++_last;
        TaskCompletionSource<PodAnswer?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        try
        {
            _process.StandardInput.WriteLine(JsonSerializer.Serialize(command with { Id = id }, PodJson.Default.PodCommand));
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It is dead already.
        }

        if (_ended)
        {
            answer.TrySetResult(null);
        }

        return answer.Task;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        Killed = true;
        _process.Kill();
    }

    /// <summary>Waits until the kernel has taken it away, and all that it had answered is known.</summary>
    public async Task WaitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Programs.Patience);
        await _reading.WaitAsync(Programs.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        await WaitAsync();
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            PodAnswer answer;
            try
            {
                answer = JsonSerializer.Deserialize(line, PodJson.Default.PodAnswer)!;
            }
            catch (JsonException) when (Killed)
            {
                // It was killed in the middle of the line.
                continue;
            }

            if (_asked.TryRemove(answer.Id, out TaskCompletionSource<PodAnswer?>? asked))
            {
                asked.TrySetResult(answer);
            }
        }

        _ended = true;
        foreach (TaskCompletionSource<PodAnswer?> asked in _asked.Values)
        {
            asked.TrySetResult(null);
        }
    }
}
