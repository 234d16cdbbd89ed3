// A system service that runs a pod for each of its images, as systemd expects a service to behave: it is started when all of
// its apps are ready, reports that it stops, and fails when a pod ends by itself. pods.service beside this file is its unit.
//   pods ROOT [--insecure] [--register] [--scope] IMAGE...
using System.Runtime.InteropServices;
using Appc;
using Appc.Images;
using Appc.Pods;
using Appc.Signing;
using Appc.Stage1.Nspawn;
using Appc.Trust;

using var stop = new CancellationTokenSource();
using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});

PodRuntimeBuilder builder = new PodRuntimeBuilder(args[0]).UseOpenPgp().UseNspawn(new NspawnOptions
{
    // Where the service's own output goes to the journal, that of its apps does too.
    Journal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null,
    Register = args.Contains("--register"),

    // In scopes of their own, pods outlive this service if it is killed.
    Scope = args.Contains("--scope"),
});
if (args.Contains("--insecure"))
{
    builder.UseTrustPolicy(TrustPolicy.Insecure);
}

CallerUnit unit = CallerUnit.FromEnvironment();
await using PodRuntime runtime = builder.Build();
List<Pod> pods = [];
try
{
    foreach (string reference in args.Skip(1).Where(a => !a.StartsWith("--", StringComparison.Ordinal)))
    {
        StoredImage image = await runtime.FetchAsync(reference, cancellationToken: stop.Token);
        pods.Add(await runtime.RunAsync(new PodSpec(new AppSpec(image)) { RemoveOnExit = true }, stop.Token));
    }

    unit.NotifyStatus($"{pods.Count} pods started");
    await Task.WhenAll(pods.Select(p => p.WaitUntilReadyAsync(cancellationToken: stop.Token)));
    unit.NotifyReady();
    unit.NotifyStatus($"{pods.Count} pods ready");

    PodStatus ended = await await Task.WhenAny(pods.Select(p => p.WaitAsync(stop.Token)));
    await Console.Error.WriteLineAsync($"pods: the pod {ended.Uuid} ended by itself");
    return 1;
}
catch (OperationCanceledException)
{
    unit.NotifyStopping();
    return 0;
}
catch (AppcException e)
{
    await Console.Error.WriteLineAsync($"pods: {e.Message}{(e.Hint is null ? "" : $" ({e.Hint})")}");
    return 1;
}
finally
{
    // Also what is not ready yet; a pod that has ended meanwhile is fine.
    await Task.WhenAll(pods.Select(async p =>
    {
        if ((await p.GetStatusAsync()).State == PodState.Running)
        {
            await p.StopAsync();
        }
    }));
}
