using Appc.Stage1;

namespace Appc.Pods;

/// <summary>What is done about the logs of a pod while it lives, where its options ask for it.</summary>
internal static class PodLogUpkeep
{
    public static bool IsNeeded(Stage1Options options) => options.LogLimit is not null || options.LogTimes;

    /// <summary>Does it once, from outside the pod.</summary>
    public static void Do(string directory, Stage1Options options)
    {
        if (options.LogTimes)
        {
            PodLogTimes.Note(directory);
        }

        if (options.LogLimit is { } limit)
        {
            PodLogLimit.Enforce(directory, limit);
        }
    }
}
