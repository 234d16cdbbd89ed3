using Appc.Images;
using Appc.Pods;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Appc.Samples;

/// <summary>Starts the configured pods with the host, looks after them, and stops them with it.</summary>
internal sealed partial class PodSupervision(
    PodRuntime runtime, IOptions<List<HostedPod>> pods, IHostApplicationLifetime host, TimeProvider time, ILogger<PodSupervision> logger) : BackgroundService
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(pods.Value.Select(p => KeepAsync(p, stoppingToken)));
        }
        finally
        {
            host.StopApplication();
        }
    }

    /// <summary>Returns when the pod has ended well, or the host stops.</summary>
    private async Task KeepAsync(HostedPod hosted, CancellationToken stopping)
    {
        StoredImage image = await runtime.FetchAsync(hosted.Image, cancellationToken: stopping);
        TimeSpan delay = TimeSpan.FromSeconds(hosted.RestartDelay);
        while (true)
        {
            await using Pod pod = await runtime.RunAsync(new PodSpec(new AppSpec(image)) { StopOnDispose = true, RemoveOnExit = true }, stopping);
            Started(pod.Uuid, hosted.Image);
            PodStatus status;
            try
            {
                await pod.WaitUntilReadyAsync(cancellationToken: stopping);
                Ready(pod.Uuid);
                status = await pod.WaitAsync(stopping);
            }
            catch (PodException e) when (e.Failure == PodFailure.NotReady)
            {
                status = await pod.WaitAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Ended(pod.Uuid, status.ExitCode);
            if (status.ExitCode == 0)
            {
                return;
            }

            if (!hosted.Restart)
            {
                Environment.ExitCode = status.ExitCode ?? 1;
                host.StopApplication();
                return;
            }

            await Task.Delay(delay, time, stopping);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Started pod {Uuid} of {Image}.")]
    private partial void Started(string uuid, string image);

    [LoggerMessage(2, LogLevel.Information, "Pod {Uuid} is ready.")]
    private partial void Ready(string uuid);

    [LoggerMessage(3, LogLevel.Information, "Pod {Uuid} has ended with {ExitCode}.")]
    private partial void Ended(string uuid, int? exitCode);
}
