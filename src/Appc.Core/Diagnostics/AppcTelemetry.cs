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
        Meter.CreateCounter<long>("appc.pod.started", "{pod}", "Pods whose first process was started by this program.");

    internal static Counter<long> PodsEnded { get; } =
        Meter.CreateCounter<long>("appc.pod.ended", "{pod}", "Pods started by this program that have ended.");

    internal static Counter<long> PodStartFailures { get; } =
        Meter.CreateCounter<long>("appc.pod.start.failures", "{pod}", "Pods that this program could not start.");

    internal static UpDownCounter<long> PodsRunning { get; } =
        Meter.CreateUpDownCounter<long>("appc.pod.running", "{pod}", "Pods started by this program that run.");

    internal static Histogram<double> PodStart { get; } =
        Meter.CreateHistogram<double>("appc.pod.start.duration", "s", "Time from the call to the pod's first process.");

    internal static Histogram<double> PodLife { get; } =
        Meter.CreateHistogram<double>("appc.pod.duration", "s", "Time from the start of a pod to its end.");

    internal static Counter<long> PodsRemoved { get; } =
        Meter.CreateCounter<long>("appc.pod.removed", "{pod}", "Pods that this program removed.");

    /// <summary>Marks what a trace shows as failed.</summary>
    internal static void Fail(this Activity? activity, Exception exception) =>
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message).SetTag("error.type", exception.GetType().FullName);
}
