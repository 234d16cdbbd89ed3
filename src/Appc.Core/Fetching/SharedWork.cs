namespace Appc.Fetching;

/// <summary>
/// Does work once for all who ask for it at the same time. It goes on as long as one of them waits; when the last one
/// gives up, it is cancelled, and that one waits until it has cleaned up.
/// </summary>
internal sealed class SharedWork<TKey, TResult>
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Job> _jobs = [];

    public async Task<TResult> RunAsync(
        TKey key,
        Func<IProgress<FetchProgress>, CancellationToken, Task<TResult>> work,
        IProgress<FetchProgress>? progress,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Job? job;
        bool start;
        lock (_lock)
        {
            start = !_jobs.TryGetValue(key, out job);
            if (start)
            {
                job = new Job();
                _jobs.Add(key, job);
            }

            job!.Join(progress);
        }

        if (start)
        {
            _ = RunJobAsync(key, job, work);
        }

        try
        {
            return await job.Result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            bool last;
            lock (_lock)
            {
                last = job.Waiting == 1;
                if (last)
                {
                    Forget(key, job);
                }
            }

            if (last)
            {
                await job.Cancel.CancelAsync().ConfigureAwait(false);
                await job.Result.Task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            lock (_lock)
            {
                job.Leave(progress);
            }
        }
    }

    private async Task RunJobAsync(TKey key, Job job, Func<IProgress<FetchProgress>, CancellationToken, Task<TResult>> work)
    {
        try
        {
            TResult result = await work(job, job.Cancel.Token).ConfigureAwait(false);
            Forget(key, job);
            job.Result.SetResult(result);
        }
        catch (OperationCanceledException) when (job.Cancel.IsCancellationRequested)
        {
            Forget(key, job);
            job.Result.SetCanceled(job.Cancel.Token);
        }
#pragma warning disable CA1031 // Whatever went wrong belongs to those who wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Forget(key, job);
            job.Result.SetException(e);
            _ = job.Result.Task.Exception;
        }
    }

    private void Forget(TKey key, Job job)
    {
        lock (_lock)
        {
            if (_jobs.TryGetValue(key, out Job? present) && ReferenceEquals(present, job))
            {
                _jobs.Remove(key);
            }
        }
    }

    private sealed class Job : IProgress<FetchProgress>
    {
        private IProgress<FetchProgress>[] _sinks = [];

        public int Waiting { get; private set; }

        // Never disposed: it holds no timer, and a late waiter may still look at it.
        public CancellationTokenSource Cancel { get; } = new();

        public TaskCompletionSource<TResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Join(IProgress<FetchProgress>? progress)
        {
            Waiting++;
            _sinks = progress is null ? _sinks : [.. _sinks, progress];
        }

        public void Leave(IProgress<FetchProgress>? progress)
        {
            Waiting--;
            int index = progress is null ? -1 : Array.IndexOf(_sinks, progress);
            if (index >= 0)
            {
                _sinks = [.. _sinks[..index], .. _sinks[(index + 1)..]];
            }
        }

        public void Report(FetchProgress value)
        {
            foreach (IProgress<FetchProgress> sink in _sinks)
            {
                sink.Report(value);
            }
        }
    }
}
