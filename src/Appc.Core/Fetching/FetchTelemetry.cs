using System.Diagnostics;
using System.Diagnostics.Metrics;
using Appc.Diagnostics;

namespace Appc.Fetching;

/// <summary>Traces and metrics of fetching and discovery, under the name <see cref="AppcTelemetry.Name"/>.</summary>
internal static class FetchTelemetry
{
    private static readonly Counter<long> Fetches =
        AppcTelemetry.Meter.CreateCounter<long>("appc.fetches", "{image}", "Images that were asked for, by where they came from.");

    private static readonly Histogram<double> Durations =
        AppcTelemetry.Meter.CreateHistogram<double>("appc.fetch.duration", "s", "Time of a fetch, with all that the image depends on.");

    private static readonly Counter<long> Bytes =
        AppcTelemetry.Meter.CreateCounter<long>("appc.fetch.bytes", "By", "Bytes of archives that came over the network.");

    private static readonly Counter<long> Discoveries =
        AppcTelemetry.Meter.CreateCounter<long>("appc.discoveries", "{name}", "Names that were looked for, by whether a place was found.");

    /// <summary>Watches one fetch to its end.</summary>
    public static async Task<FetchResult> FetchAsync(string reference, Func<Task<FetchResult>> fetch)
    {
        long begin = Stopwatch.GetTimestamp();
        using Activity? activity = AppcTelemetry.Activities.StartActivity("appc.fetch");
        activity?.SetTag("appc.reference", reference);
        try
        {
            FetchResult result = await fetch().ConfigureAwait(false);
            activity?.SetTag("appc.image.id", result.Image.Id.ToString());
            End(result.Origin.ToString().ToLowerInvariant());
            return result;
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            End(e is OperationCanceledException ? "cancelled" : "failed");
            throw;
        }

        void End(string origin)
        {
            activity?.SetTag("appc.origin", origin);
            var tag = new KeyValuePair<string, object?>("appc.origin", origin);
            Fetches.Add(1, tag);
            Durations.Record(Stopwatch.GetElapsedTime(begin).TotalSeconds, tag);
        }
    }

    public static Activity? Download(string url)
    {
        Activity? activity = AppcTelemetry.Activities.StartActivity("appc.download");
        return activity?.SetTag("appc.url", url);
    }

    public static void Downloaded(int bytes) => Bytes.Add(bytes);

    public static Activity? Discovery(string name)
    {
        Activity? activity = AppcTelemetry.Activities.StartActivity("appc.discover");
        return activity?.SetTag("appc.image.name", name);
    }

    public static void Discovered(Activity? activity, DiscoveryResult result)
    {
        bool found = result.Images.Count > 0 || result.PublicKeys.Count > 0;
        activity?.SetTag("appc.discovery.requests", result.Tried.Count).SetTag("appc.found", found);
        Discoveries.Add(1, new KeyValuePair<string, object?>("appc.found", found));
    }
}
