namespace Appc.Stage1;

/// <summary>What ends a pod beside its apps and <c>StopAsync</c>.</summary>
public enum PodLifetime
{
    /// <summary>Nothing: the pod outlives the program that started it.</summary>
    Independent,

    /// <summary>
    /// The end of the program that started it, however it ends, <c>kill -9</c> included: all of the pod's processes are
    /// then killed at once.
    /// </summary>
    Host,
}
