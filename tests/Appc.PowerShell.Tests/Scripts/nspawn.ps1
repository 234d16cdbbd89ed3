# Runs pods of the flavour nspawn: several apps, apps that come and go, restarts, readiness, connections, sockets, a terminal.
using namespace Appc.Manifests
using namespace Appc.Metadata
using namespace Appc.Pods
using namespace Appc.Stage1
using namespace Appc.Stage1.Nspawn
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
. "$PSScriptRoot/flavours.ps1"
$options = [NspawnOptions] @{
    Journal = $false; MaxProcesses = 1000; NspawnPath = [NullString]::Value; Register = $false; Scope = $false
    StartTimeout = [timespan]::FromMinutes(2); StopTimeout = [timespan]::FromSeconds(20); SystemdPath = [NullString]::Value
}
Show 'options' $options
$own = [OwnStage1WithApps]::new([NspawnStage1]::new($options, $null, [TimeProvider]::System))
$runtime = [PodRuntimeBuilder]::new("$Work/data").UseStage1([Func[PodRuntimeBuilder, IStage1]] { param($builder) $own }).UseTrustPolicy([TrustPolicy]::Insecure).Build()
Show 'host' (Wait-Task ($runtime.ProbeAsync())) @('Version')
Show 'features' $own.Inner.Features @('EnforcedIsolators')
$image = Get-Image $runtime 'example.com/shell' ([AppBuilder]::new().SetExec('/bin/sh').SetUser('0', '0').AddPort('web', 8080, 'tcp', 1, $true))
function New-App([string] $name, [string] $script, $from = $image) {
    $app = [AppSpec]::new($from)
    $app.Name = $name
    $app.Arguments.Add('-c')
    $app.Arguments.Add($script)
    $app
}

# Restart policies.
$restart = [RestartPolicy] @{ Mode = [RestartMode]::OnFailure; Delay = [timespan]::FromMilliseconds(100); MaxDelay = [timespan]::FromSeconds(1); MaxRestarts = 1; Window = [timespan]::FromSeconds(60) }
$again = $null
"$restart $([RestartPolicy]::Parse("$restart") -eq $restart) $([RestartPolicy]::TryParse('never', [ref] $again)) $again $([RestartPolicy]::Never) $([RestartPolicy]::AnnotationName)"
Show 'restart' $restart

# A mutable pod of two apps, one with a socket of the host, one that fails twice.
$listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
$listener.Start()
$socket = [PodSocket]::new('web', $listener.Server.SafeHandle)
$socket.StartOnConnection = $false
Show 'socket' $socket @('Handle')
$spec = [PodSpec]::new()
$spec.Apps.Add((New-App 'main' 'echo $LISTEN_FDS; mkdir -p /tmp/www; echo page > /tmp/www/index.html; exec busybox httpd -f -p 127.0.0.1:8081 -h /tmp/www'))
$second = Get-Image $runtime 'example.com/plain' ([AppBuilder]::new().SetExec('/bin/sh').SetUser('0', '0'))
$flaky = New-App 'flaky' 'echo try; exit 5' $second
$flaky.Restart = $restart
$spec.Apps.Add($flaky)
$spec.Sockets.Add($socket)
$spec.Mutable = $true
$spec.Options = [Stage1Options] @{ ExitPolicy = [PodExitPolicy]::LastExit }
$spec.Ports.Clear()
$spec.Isolators.Clear()
$spec.StopOnDispose = $false
$pod = Wait-Task ($runtime.RunAsync($spec))
do { $status = Wait-Task ($pod.GetStatusAsync()) } while ($status.Apps[1].State -ne [AppState]::Exited)
Show 'flaky' $status.Apps[1]

# Connections.
$forward = $pod.ForwardPort(8081)
"$($forward.EndPoint.Address) $($forward.PodPort) $($forward.PodUuid -eq $pod.Uuid)"
$http = [Net.Http.HttpClient]::new()
$page = $null
while (-not $page) { try { $page = Wait-Task ($http.GetStringAsync("http://$($forward.EndPoint)/index.html")) } catch { [Threading.Thread]::Sleep(100) } }
$page.Trim()
Wait-Task ($forward.DisposeAsync().AsTask())
$stream = Wait-Task ($pod.ConnectAsync(8081))
$stream.Write([Text.Encoding]::ASCII.GetBytes("GET /index.html HTTP/1.0`r`n`r`n"))
(Read-Stream $stream).Split("`n")[-2]

# Apps that come and go.
(Wait-Task ($pod.AddAppAsync((New-App 'late' 'sleep 1000' $second), $true, [TrustPolicy]::Insecure))).State
(Wait-Task ($pod.AddAppAsync((New-App 'later' 'exit 3' $second), $false, $null, $true))).State
(Wait-Task ($pod.StartAppAsync('later'))).Name.ToString()
(Wait-Task ($pod.StopAppAsync('late', [timespan]::FromSeconds(5)))).State
Wait-Task ($pod.RemoveAppAsync('late', [timespan]::FromSeconds(5)))
((Wait-Task ($pod.GetStatusAsync())).Apps.Name -join ' ')
$inside = Wait-Task ($pod.ExecAsync('main', [string[]] @('/bin/sh', '-c', 'echo inside')))
(Wait-Task ($inside.ReadToEndAsync())).StandardOutput.Trim()
$output = [IO.MemoryStream]::new()
$cursor = Wait-Task ($pod.CopyLogsAsync([LogOptions] @{ App = 'flaky' }, $output, $null))
"$cursor".Contains('flaky.out=')
[Text.Encoding]::UTF8.GetString($output.ToArray()).Replace("`n", ' ')
Show 'stage1 socket' $own.Seen['pod'].Sockets[0] @('Handle')
(Wait-Task ($pod.StopAsync([timespan]::FromSeconds(10)))).State
$listener.Stop()
$handed = $own.Seen['pod']
"$($own.Inner.LayerOf($handed, $handed.Apps[0].Name).FirstId -gt 0)"
Wait-Task ($own.Inner.CollectAsync($handed, [Threading.CancellationToken]::None))
Wait-Task ($pod.RemoveAsync())

# A terminal.
$app = New-App 'term' 'stty size; read line; stty size; exit 2' $second
$app.Input = [AppInput]::Terminal
$spec = [PodSpec]::new($app)
$pod = Wait-Task ($runtime.RunAsync($spec))
$attachment = Wait-Task ($pod.AttachAsync('term', [AttachOptions] @{ FromStart = $true; Size = [TerminalSize]::new(80, 24) }))
$attachment.InputKind
Wait-Task ($attachment.ResizeAsync([TerminalSize]::new(100, 30)))
$attachment.Input.Write([Text.Encoding]::ASCII.GetBytes("x`n"))
$attachment.Input.Flush()
(Read-Stream $attachment.Output).TrimEnd().Split("`n")[-1].Trim()
(Wait-Task $attachment.Completion).ExitCode
Wait-Task ($attachment.DisposeAsync().AsTask())
"$((Wait-Task $own.Seen['attachment']).Resize.GetType().Name)"
[void] (Wait-Task ($pod.WaitAsync()))

# The metadata service.
$served = [MetadataServiceOptions] @{ HostEndPoint = $null; MaxConnections = 8; MaxFormBytes = 4096; Timeout = [timespan]::FromSeconds(5) }
Show 'service' $served
"$([MetadataServiceOptions]::DefaultHostEndPoint)"
$service = Wait-Task ([MetadataService]::StartAsync($runtime, $served))
$spec = [PodSpec]::new((New-App 'curious' 'busybox wget -q -O- $AC_METADATA_URL/acMetadata/v1/pod/uuid' $second))
$spec.Options = [Stage1Options] @{ Metadata = [MetadataMode]::Required }
$spec.Options.Metadata
$pod = Wait-Task ($runtime.RunAsync($spec))
(Wait-Task ($pod.WaitAsync())).ExitCode
(Wait-Task ($pod.ReadOutputAsync())) -eq $pod.Uuid
$own.Seen['pod'].MetadataUrl.StartsWith('http://127.0.0.1:18112/')
"$($service.HostEndPoint) $($service.Pods.Count -lt 2)"
Wait-Task ($service.DisposeAsync().AsTask())
Wait-Task ($pod.RemoveAsync())

# What cannot be enforced, and what is refused.
$spec = [PodSpec]::new((New-App 'main' 'true' $second))
$spec.Apps[0].Isolators.Add([Isolator]::Create('example.com/unknown', 'true'))
$spec.Strict = $true
$unenforced = $runtime.FindUnenforcedIsolators($spec)
Show 'unenforced' $unenforced[0]
$spec.Strict = $false
$pod = Wait-Task ($runtime.PrepareAsync($spec))
$isolators = Wait-Task ($pod.GetIsolatorsAsync())
Show 'isolator' $isolators[0]
Wait-Task ($pod.RemoveAsync())
$spec.Strict = $true
(Get-Failure { Wait-Task ($runtime.RunAsync($spec)) }).Failure
$report = Wait-Task ($runtime.CollectGarbageAsync([GarbageOptions] @{ GracePeriod = [timespan]::Zero }))
"$($report.Removed.Count) $($report.Failures.Count)"
$runtime.Dispose()
$own.Inner.Dispose()
$extended = [NspawnPodRuntimeBuilderExtensions]::UseNspawn([PodRuntimeBuilder]::new("$Work/data"), $options).Build()
"$($extended.Stage1s.Name)"
$extended.Dispose()
Show-Rebuilt $status, $restart, $unenforced, $isolators, $handed.Sockets
