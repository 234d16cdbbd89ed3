using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Appc.Diagnostics;

/// <summary>
/// The names under which a host finds traces and metrics of this library: both the
/// <see cref="ActivitySource"/> and the <see cref="Meter"/> are called <c>Appc</c>.
/// </summary>
public static class AppcTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Appc";

    internal static ActivitySource Activities { get; } = new(Name);

    internal static Meter Meter { get; } = new(Name);

    internal static Counter<long> PodsStarted { get; } =
        Meter.CreateCounter<long>("appc.pods.started", "{pod}", "Pods whose first process was started.");

    internal static Counter<long> PodsEnded { get; } =
        Meter.CreateCounter<long>("appc.pods.ended", "{pod}", "Pods started by this process that have ended.");

    internal static Histogram<double> PodStart { get; } =
        Meter.CreateHistogram<double>("appc.pod.start.duration", "s", "Time from the call to the pod's first process.");
}
