# What a host program uses around pods: registration with its services, pods in memory, pods of tests, the unit it runs in, telemetry.
using namespace Appc.Manifests
using namespace Appc.Pods
using namespace Appc.Stage1
using namespace Appc.Stage1.InMemory
using namespace Appc.Testing
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
foreach ($name in 'Options', 'DependencyInjection.Abstractions') { [void] [Reflection.Assembly]::LoadFrom("$Modules/Microsoft.Extensions.$name.dll") }
. "$PSScriptRoot/services.ps1"

# Services.
foreach ($configure in [Action[PodRuntimeBuilder]] { param($builder) [void] [InMemoryPodRuntimeBuilderExtensions]::UseInMemory($builder) },
    [Action[IServiceProvider, PodRuntimeBuilder]] { param($services, $builder) [void] $builder.UseStage1([InMemoryStage1]::new()) }) {
    $services = [Microsoft.Extensions.DependencyInjection.ServiceCollection]::new()
    [void] [Appc.Hosting.AppcServiceCollectionExtensions]::AddAppc($services, $configure)
    $provider = [Provider]::new($services, [Appc.Hosting.AppcOptions] @{ Root = "$Work/hosted" })
    $runtime = $provider.GetService([PodRuntime])
    "$(Format-Value $runtime.Root) $($runtime.Stage1s.Name) $($provider.GetService([Appc.Images.ImageStore]) -eq $runtime.Images) $($provider.GetService([Appc.Fetching.ImageFetcher]) -eq $runtime.Fetcher)"
    $runtime.Dispose()
}
Show 'options' ([Appc.Hosting.AppcOptions]::new())

# Pods in memory: apps that end at once, and apps that are a method of the script.
$memory = [InMemoryStage1]::new()
$memory.ExitCodes['shell'] = 7
"$($memory.Name) $((Wait-Task ($memory.ProbeAsync())).Version)"
Show 'features' $memory.Features
$runtime = [PodRuntimeBuilder]::new("$Work/memory").UseStage1([IStage1] $memory).UseTrustPolicy([TrustPolicy]::Insecure).Build()
$image = Get-Image $runtime 'example.com/shell' ([AppBuilder]::new().SetExec('/bin/sh').SetUser('0', '0'))
$pod = Wait-Task ($runtime.RunAsync([PodSpec]::new([AppSpec]::new($image))))
(Wait-Task ($pod.WaitAsync())).ExitCode
$runtime.Dispose()
$behaviour = [Behaviour]::new()
foreach ($builder in [InMemoryPodRuntimeBuilderExtensions]::UseInMemory([PodRuntimeBuilder]::new("$Work/memory"), [Func[InMemoryApp, Threading.CancellationToken, Threading.Tasks.Task[int]]] $behaviour.Run),
    [PodRuntimeBuilder]::new("$Work/memory").UseStage1([InMemoryStage1]::new([Func[InMemoryApp, Threading.CancellationToken, Threading.Tasks.Task[int]]] $behaviour.Run))) {
    $runtime = $builder.UseTrustPolicy([TrustPolicy]::Insecure).Build()
    $pod = Wait-Task ($runtime.RunAsync([PodSpec]::new([AppSpec]::new($image))))
    (Wait-Task ($pod.WaitAsync())).ExitCode
    (Wait-Task ($pod.ReadOutputAsync()))
    $runtime.Dispose()
}

# The members of the flavour itself, called as a runtime calls them.
$direct = [InMemoryStage1]::new()
$handed = [Stage1Pod] @{
    Uuid = '6733c088-a507-4694-aabf-edbe4fc5266f'; Directory = "$Work/direct"; Root = $Work; MetadataUrl = 'http://127.0.0.1:1/secret'; Manifest = [PodManifest]::new(); Options = [Stage1Options]::new()
    Apps = [Stage1App[]] @([Stage1App] @{ Name = [AcName]::Parse('main'); App = $image.Manifest.App; Runtime = [RuntimeApp]::new(); Layers = [string[]] @() })
}
[void] [IO.Directory]::CreateDirectory("$Work/direct/logs")
[void] [IO.Directory]::CreateDirectory("$Work/direct/status")
$process = Wait-Task ($direct.StartAsync($handed))
Wait-Task $process.Ended
Wait-Task ($direct.StopAsync($handed, $process.Id, [timespan]::Zero))
Wait-Task ($direct.CollectAsync($handed))
[IO.File]::ReadAllText($handed.StatusPath($handed.Apps[0].Name)).Trim()

# A pod for the length of a test.
$change = [Change]::new()
$test = [TestPodOptions] @{
    Root = "$Work/tests"; Trust = [TrustPolicy]::Insecure; ReadyOutput = 'up'; ReadyTimeout = [timespan]::FromMinutes(2); StopTimeout = [timespan]::FromSeconds(5)
    Configure = [Action[PodRuntimeBuilder]] { param($builder) [void] [Appc.Stage1.Fly.FlyPodRuntimeBuilderExtensions]::UseFly($builder) }
    Change = [Action[PodSpec]] $change.Apply
}
Show 'test options' $test @('Configure', 'Change')
$runtime = [Appc.Stage1.Fly.FlyPodRuntimeBuilderExtensions]::UseFly([PodRuntimeBuilder]::new("$Work/tests")).UseTrustPolicy([TrustPolicy]::Insecure).Build()
$image = Wait-Task ($runtime.FetchAsync("$Work/example.com-shell.aci"))
$pod = Wait-Task ([TestPod]::StartAsync($runtime, [PodSpec]::new([AppSpec]::new($image)), $test))
"$((Wait-Task ($pod.Pod.GetStatusAsync())).State) $($pod.Ports.Count)"
try { $pod.EndPointOf(80) } catch { $_.Exception.InnerException.GetType().Name }
Wait-Task ($pod.DisposeAsync().AsTask())
$runtime.Dispose()
$pod = Wait-Task ([TestPod]::StartAsync("$Work/example.com-shell.aci", $test))
(Wait-Task ($pod.Pod.ReadOutputAsync())).Trim()
Wait-Task ($pod.DisposeAsync().AsTask())

# The service manager's words, and the name under which telemetry is found.
$unit = [CallerUnit]::FromEnvironment()
"$($unit.AwaitsReadiness) $($unit.Sockets.Count)"
$unit.NotifyStatus('starting')
$unit.NotifyReady()
$unit.NotifyReady($PID)
$unit.NotifyStopping()
$socket = [Net.Sockets.Socket]::new([Net.Sockets.SocketType]::Stream, [Net.Sockets.ProtocolType]::Tcp)
$handed = [CallerSocket]::new('web', $socket.SafeHandle)
Show 'socket' $handed @('Handle')
[Appc.Diagnostics.AppcTelemetry]::Name
Show-Rebuilt $handed
