using Appc.Pods;
using Microsoft.Extensions.Logging;

namespace Appc.Stage1.Fly;

/// <summary>What the program that started a pod does about its logs while it lives: nobody is in the pod for it.</summary>
internal static class FlyLogs
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    internal static async Task KeepAsync(Stage1Pod pod, Task ended, TimeProvider time, ILogger logger)
    {
        try
        {
            while (await Task.WhenAny(ended, Task.Delay(Every, time)).ConfigureAwait(false) != ended)
            {
                PodLogUpkeep.Do(pod.Directory, pod.Options);
            }
        }
        catch (IOException e)
        {
            logger.LogsNotKept(pod.Uuid, e.Message);
        }
    }
}
