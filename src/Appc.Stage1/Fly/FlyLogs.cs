using Appc.Pods;
using Microsoft.Extensions.Logging;

namespace Appc.Stage1.Fly;

/// <summary>What the program that started a pod does about its logs while it lives: nobody is in the pod for it.</summary>
internal static class FlyLogs
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    internal static bool AreKept(Stage1Pod pod) => pod.Options.LogLimit is not null || pod.Options.LogTimes;

    internal static async Task KeepAsync(Stage1Pod pod, Task ended, TimeProvider time, ILogger logger)
    {
        try
        {
            while (await Task.WhenAny(ended, Task.Delay(Every, time)).ConfigureAwait(false) != ended)
            {
                if (pod.Options.LogTimes)
                {
                    PodLogTimes.Note(pod.Directory);
                }

                if (pod.Options.LogLimit is { } limit)
                {
                    PodLogLimit.Enforce(pod.Directory, limit);
                }
            }
        }
        catch (IOException e)
        {
            logger.LogsNotKept(pod.Uuid, e.Message);
        }
    }
}
