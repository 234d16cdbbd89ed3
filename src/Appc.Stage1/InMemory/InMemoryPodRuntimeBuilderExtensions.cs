using Appc.Pods;

namespace Appc.Stage1.InMemory;

/// <summary>Adds the in-memory flavour to a runtime.</summary>
public static class InMemoryPodRuntimeBuilderExtensions
{
    /// <summary>Adds a flavour that runs nothing and whose apps end at once with 0.</summary>
    public static PodRuntimeBuilder UseInMemory(this PodRuntimeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStage1(new InMemoryStage1());
    }

    /// <summary>Adds a flavour that runs nothing and whose apps are a function.</summary>
    public static PodRuntimeBuilder UseInMemory(this PodRuntimeBuilder builder, Func<InMemoryApp, CancellationToken, Task<int>> behaviour)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStage1(new InMemoryStage1(behaviour));
    }
}
