using Appc.Pods;

namespace Appc.PodStress;

/// <summary>A pod that runs, those who wait for its end, and how it is to end.</summary>
internal sealed class SoakPod
{
    private readonly Pod _pod;
    private readonly Pod _seen;
    private readonly Task<PodStatus>[] _waits;

    private SoakPod(Pod pod, Pod seen, bool removesItself, int number)
    {
        Number = number;
        _pod = pod;
        _seen = seen;
        RemovesItself = removesItself;
        _waits = [pod.WaitAsync(), pod.WaitAsync(), seen.WaitAsync()];
    }

    public string Uuid => _pod.Uuid;

    public bool RemovesItself { get; }

    /// <summary>By which it is known what kind of pod follows it.</summary>
    public int Number { get; }

    /// <summary>How many have waited for its end.</summary>
    public int Waits => _waits.Length;

    /// <summary>Starts one.</summary>
    /// <param name="host">Starts it.</param>
    /// <param name="other">Another runtime, which looks at it as any other process would.</param>
    /// <param name="spec">The pod.</param>
    /// <param name="number">Its number.</param>
    public static async Task<SoakPod> StartAsync(PodRuntime host, PodRuntime other, PodSpec spec, int number)
    {
        Pod pod = await host.RunAsync(spec);
        return new SoakPod(pod, await other.OpenAsync(pod.Uuid), spec.RemoveOnExit, number);
    }

    /// <summary>Somebody waits for it who loses patience.</summary>
    public async Task WaitInVainAsync(TimeSpan limit)
    {
        using CancellationTokenSource over = new(limit);
        try
        {
            await _seen.WaitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            // As it must be.
        }
    }

    /// <summary>Stops it, on either side, and sees that all who wait are told the same.</summary>
    public async Task StopAsync(bool fromOutside, TimeSpan grace)
    {
        PodStatus end = await (fromOutside ? _seen : _pod).StopAsync(grace).WaitAsync(Soak.Patience);
        foreach (Task<PodStatus> wait in _waits)
        {
            PodStatus status = await wait.WaitAsync(Soak.Patience);

            // The shell stops when it is asked to; killed, also because it has not come so far yet, it is 128 + SIGKILL. Who looks too late learns nothing.
            bool good = status.HasEnded && status.ExitCode is null or 128 + 9 or StressImage.Stopped && (status.ExitCode is not null || status.State is PodState.Gone or PodState.Deleting);
            if (!good || (status.ExitCode is not null && end.ExitCode is not null && status.ExitCode != end.ExitCode))
            {
                throw new InvalidOperationException($"the pod {Uuid} ended with {end.ExitCode}, and who waited was told {status.State} {status.ExitCode}");
            }
        }
    }

    public Task RemoveAsync() => _pod.RemoveAsync();
}
