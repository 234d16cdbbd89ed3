// A generic host that keeps pods running for as long as it runs itself. Its configuration names them:
//   pod-host --Appc:Root /var/lib/appc --Pods:0:Image example.com/web:1.2 --Pods:0:Restart true
using Appc.Hosting;
using Appc.Samples;
using Appc.Signing;
using Appc.Stage1.Nspawn;
using Appc.Trust;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.Configure<AppcOptions>(builder.Configuration.GetSection("Appc"));
builder.Services.Configure<List<HostedPod>>(builder.Configuration.GetSection("Pods"));
builder.Services.AddAppc(runtime =>
{
    runtime.UseOpenPgp().UseNspawn();
    if (builder.Configuration.GetValue<bool>("Insecure"))
    {
        runtime.UseTrustPolicy(TrustPolicy.Insecure);
    }
});
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddHostedService<PodSupervision>();

// Longer than apps get to stop by themselves.
builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(60));
await builder.Build().RunAsync();
