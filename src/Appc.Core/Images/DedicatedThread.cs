namespace Appc.Images;

/// <summary>Runs blocking work on a thread of its own, so that none of the pool's is held.</summary>
internal static class DedicatedThread
{
    // Walks of trees recurse as deep as the longest path that Linux takes, about two thousand levels. The kernel gives
    // memory for a stack only as it is used.
    private const int StackBytes = 16 << 20;

    public static Task<T> RunAsync<T>(string name, Func<T> work)
    {
        TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(name, () =>
        {
            try
            {
                completion.SetResult(work());
            }
            catch (OperationCanceledException e)
            {
                completion.SetCanceled(e.CancellationToken);
            }
#pragma warning disable CA1031 // The exception is not swallowed: it goes to whoever awaits.
            catch (Exception e)
#pragma warning restore CA1031
            {
                completion.SetException(e);
            }
        });
        return completion.Task;
    }

    public static Thread Start(string name, Action work)
    {
        Thread thread = new(() => work(), StackBytes) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }
}
