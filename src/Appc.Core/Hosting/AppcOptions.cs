using Appc.Pods;

namespace Appc.Hosting;

/// <summary>What a host's configuration can say about the runtime that <c>AddAppc</c> registers.</summary>
public sealed class AppcOptions
{
    /// <summary>The data directory.</summary>
    /// <value>The default value is <see cref="PodRuntimeBuilder.DefaultRoot"/>.</value>
    public string Root { get; set; } = PodRuntimeBuilder.DefaultRoot;
}
