namespace Appc.Pods;

/// <summary>Somebody waits for a status of a pod.</summary>
internal sealed class PodWait(Func<PodStatus, bool> wanted)
{
    private readonly TaskCompletionSource<PodStatus> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<PodStatus> Task => _completion.Task;

    public void Offer(PodStatus status)
    {
        if (wanted(status))
        {
            _completion.TrySetResult(status);
        }
    }

    public void Fail(Exception exception) => _completion.TrySetException(exception);
}
