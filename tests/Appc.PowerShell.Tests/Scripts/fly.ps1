# Runs pods of the flavour fly: prepared, run, awaited, read, attached to, entered, named, listed, watched, collected.
using namespace Appc.Images
using namespace Appc.Manifests
using namespace Appc.Pods
using namespace Appc.Stage1
using namespace Appc.Stage1.Fly
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
. "$PSScriptRoot/flavours.ps1"
$own = [OwnStage1]::new([FlyStage1]::new($null, [TimeProvider]::System))
$builder = [PodRuntimeBuilder]::new("$Work/data").UseStage1([IStage1] $own).UseTrustPolicy([TrustPolicy]::Insecure).UseTimeProvider([TimeProvider]::System)
$builder = $builder.UseLogging([Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory]::Instance)
"$($builder.LoggerFactory.GetType().Name) $($null -ne $builder.TimeProvider) $([PodRuntimeBuilder]::DefaultRoot)"
$runtime = $builder.Build()
"$(Format-Value $runtime.Root) $($runtime.Stage1s.Name)"
Show 'host' (Wait-Task ($runtime.ProbeAsync('fly'))) @('Version')
Show 'health' (Wait-Task ($runtime.CheckHealthAsync())) @('FreeBytes', 'Version')
$shell = [AppBuilder]::new().SetExec('/bin/sh').SetUser('0', '0')
$image = Get-Image $runtime 'example.com/shell' $shell

# A specification with all that it can have.
$app = [AppSpec]::new($image)
$app.Name = 'main'
$app.Exec = '/bin/sh'
$app.Arguments.Add('-c')
$app.Arguments.Add('read line; echo "$line $MODE $PWD $(id -u)"; echo trouble >&2; exit 4')
$app.Environment['MODE'] = 'fast'
$app.WorkingDirectory = '/tmp'
$app.User = '0'
$app.Group = '0'
$app.SupplementaryGids.Add(5)
$app.Input = [AppInput]::Stream
$app.AnnouncesReadiness = $false
$app.StopSignal = 'SIGTERM'
$app.StopTimeout = [timespan]::FromSeconds(5)
$app.Restart = $null
$app.ReadOnlyRootFs = $false
$app.Annotations.Add([Annotation]::new('note', 'app'))
$app.Isolators.Add([OomScoreAdjIsolator]::new(10))
$app.Mounts.Add([Mount]::Parse('volume=data,target=/run'))
$spec = [PodSpec]::new($app)
$spec.Name = 'first'
$spec.Labels['tier'] = 'front'
$spec.Volumes.Add([Volume]::Parse('data,kind=empty'))
$spec.Annotations.Add([Annotation]::new('note', 'pod'))
$spec.Lifetime = [PodLifetime]::Independent
$spec.Stage1 = 'fly'
$spec.Strict = $false
$spec.Mutable = $false
$spec.RemoveOnExit = $false
$spec.StopOnDispose = $false
$spec.Trust = [TrustPolicy]::Insecure
$spec.Options = [Stage1Options] @{
    Dns = [DnsMode]::Image; DnsOptions = [string[]] @(); DnsSearch = [string[]] @(); DnsServers = [string[]] @(); ExitPolicy = [PodExitPolicy]::FirstFailure
    HostNetwork = $true; Hostname = [NullString]::Value; Hosts = [HostsMode]::Image; HostsEntries = [string[]] @(); KeepAllCapabilities = $false; KeepKernelPaths = $false
    LogLimit = 1000000; LogTimes = $true; NoSeccomp = $true; OwnControlGroup = $false; PrivateUsers = $false; ReadyTimeout = [timespan]::FromSeconds(30); RecordsOwnEnd = $true
}
Show 'app' $app @('Image')
Show 'spec' $spec @('Image', 'Provenance', 'Apps')
$runtime.FindUnenforcedIsolators($spec).Count

# Prepared, then run, and attached to.
$pod = Wait-Task ($runtime.PrepareAsync($spec))
$options = [PodEventOptions] @{ Snapshot = $true; Capacity = 100; Pod = $pod.Uuid }
Show 'event options' $options
$events = Wait-Task ($runtime.SubscribeAsync($options))
(Wait-Task ($pod.GetStatusAsync())).State
(Wait-Task ($pod.GetManifestAsync())).Apps[0].Name.ToString()
$now = [RunPreparedOptions]::new()
$now.Trust = [TrustPolicy]::Insecure
if ($now.Sockets.Count -ne 0 -or -not $now.Trust) { throw 'the options of a start are not what was set' }
$pod = Wait-Task ($runtime.RunPreparedAsync($pod.Uuid, $now))
$running = Wait-Task ($pod.WaitUntilReadyAsync([timespan]::FromSeconds(60)))
Show 'running' $running @('Pid')
$attach = [AttachOptions] @{ FromStart = $true; Input = $true; Size = $null }
Show 'attach' $attach
$attachment = Wait-Task ($pod.AttachAsync('main', $attach))
"$($attachment.InputKind) $($null -ne $attachment.Error)"
$attachment.Input.Write([Text.Encoding]::UTF8.GetBytes("hello`n"))
$attachment.Input.Flush()
Wait-Task ($attachment.CloseInputAsync())
Read-Stream $attachment.Output
Read-Stream $attachment.Error
(Wait-Task $attachment.Completion).ExitCode
Wait-Task ($attachment.DisposeAsync().AsTask())
$ended = Wait-Task ($pod.WaitAsync())
Show 'ended' $ended @('Pid')
"$($ended.Apps[0].ShellExitCode) $($ended.Apps[0].Succeeded) $($ended.HasEnded)"

# Its logs: at once, from a cursor on, and the last line.
(Wait-Task ($pod.ReadOutputAsync('main')))
$out, $err = [IO.MemoryStream]::new(), [IO.MemoryStream]::new()
[void] (Wait-Task ($pod.CopyLogsAsync($out, $err, 'main', $false)))
$logs = [LogOptions] @{ App = 'main'; Follow = $false; Tail = 1; Since = [DateTimeOffset]::UnixEpoch; Cursor = [LogCursor]::new() }
$cursor = Wait-Task ($pod.CopyLogsAsync($logs, $out, $err))
[Text.Encoding]::UTF8.GetString($out.ToArray()) + [Text.Encoding]::UTF8.GetString($err.ToArray())
Show 'cursor' $cursor
$again = $null
"$cursor $([LogCursor]::Parse("$cursor")) $([LogCursor]::TryParse('x', [ref] $again))"
Show 'logs' $logs

# What happened, as events.
$seen = @()
while ($seen.Kind -notcontains [PodEventKind]::Ended) { $seen += @(Wait-Task ($events.ReadAsync(100, [timespan]::FromSeconds(30)))) | ForEach-Object { $_ } }
$seen.Kind -join ' '
Show 'event' ($seen | Where-Object { $_.Kind -eq [PodEventKind]::AppEnded }) @('Time')
$read = $null
"$($events.Reader.TryRead([ref] $read)) $($null -eq $runtime.WatchAsync()) $($null -eq $events.ReadAllAsync())"
$events.Dispose()
Wait-Task ((Wait-Task ($runtime.SubscribeAsync())).DisposeAsync().AsTask())

# Names, labels, lists.
$same = Wait-Task ($runtime.OpenAsync('first'))
$same.Uuid -eq $pod.Uuid
$filter = [PodFilter] @{ App = 'main'; Image = $image.Id; Name = 'first'; Stage1 = 'fly' }
$filter.Labels['tier'] = 'front'
$filter.States.Add([PodState]::Exited)
Show 'filter' $filter
"$($filter.Matches($ended)) $((Wait-Task ($runtime.ListAsync($filter))).Count) $((Wait-Task ($runtime.ListAsync()))[0].Name)"
$failure = Get-Failure { Wait-Task ($runtime.RunAsync($spec)) }
Show 'taken' $failure.Findings[0]
$failure.Failure
$failure = [PodException]::new([PodFailure]::BadSpec, 'no pod', 'make one')
"$($failure.Message) $($failure.Hint) $($failure.Failure) $($failure.Findings.Count)"
[PodException]::new('two faults', [PodFinding[]] @([PodFinding]::new([PodFailure]::BadSpec, 'one'), [PodFinding]::new([PodFailure]::NotFound, 'two', 'look'))).Findings.Count

# Entered, reached, stopped.
$spec = [PodSpec]::new([AppSpec]::new($image))
$spec.Apps[0].Arguments.Add('-c')
$spec.Apps[0].Arguments.Add('trap "exit 3" TERM; echo up; while :; do sleep 1; done')
$spec.Options = [Stage1Options] @{ RecordsOwnEnd = $true }
$pod = Wait-Task ($runtime.RunAsync($spec))
$exec = [ExecOptions] @{ AsRoot = $true; WorkingDirectory = '/tmp'; Terminal = $null }
$variables = [Collections.Generic.Dictionary[string, string]]::new()
$variables['A'] = 'b'
$exec.Environment = $variables
Show 'exec options' $exec
$inside = Wait-Task ($pod.ExecAsync([NullString]::Value, [string[]] @('/bin/sh', '-c', 'echo "$A $PWD"; echo err >&2; exit 2'), $exec))
$result = Wait-Task ($inside.ReadToEndAsync())
Show 'result' $result
Wait-Task ($inside.DisposeAsync().AsTask())
$inside = Wait-Task ($pod.ExecAsync('shell', [string[]] @('/bin/sh', '-c', 'cat; sleep 1000')))
"$($inside.Pid -gt 0) $($null -ne $inside.StandardError)"
$inside.StandardInput.Write([Text.Encoding]::UTF8.GetBytes("through`n"))
$inside.StandardInput.Close()
(Wait-Task ([IO.StreamReader]::new($inside.StandardOutput).ReadLineAsync()))
$inside.Signal(15)
"$((Wait-Task ($inside.WaitAsync())).Signal)"
$inside = Wait-Task ($pod.ExecAsync('shell', [string[]] @('/bin/sh', '-c', 'stty size; read x; stty size'), [ExecOptions] @{ Terminal = [TerminalSize]::new(80, 24) }))
$lines = [IO.StreamReader]::new($inside.StandardOutput)
(Wait-Task ($lines.ReadLineAsync()))
$inside.Resize([TerminalSize]::new(132, 50))
$inside.StandardInput.Write([Text.Encoding]::UTF8.GetBytes("`n"))
$inside.StandardInput.Flush()
[void] (Wait-Task ($lines.ReadLineAsync()))
(Wait-Task ($lines.ReadLineAsync()))
(Wait-Task ($inside.WaitAsync())).ExitCode
$stopped = Wait-Task ($pod.StopAsync([timespan]::FromSeconds(10)))
"$($stopped.State) $($stopped.ExitCode) $($own.Seen['grace'])"

# An image of what it left.
$left = Wait-Task ($pod.ExportAsync("$Work/left.aci", 'shell', [AciBuildOptions] @{ Compression = [ArchiveCompression]::None }))
Format-Value "$left $([IO.File]::Exists("$Work/left.aci"))"
$layer = $own.Seen['layer']
"$($layer.Directory.EndsWith('/upper')) $($layer.FirstId) $($layer.Foreign[0])"

# What the flavour of the script was handed.
$handed = $own.Seen['pod']
Show 'stage1 pod' $handed @('Manifest', 'App', 'Runtime', 'LockDescriptor', 'Options')
$name = $handed.Apps[0].Name
foreach ($path in $handed.StandardOutputPath($name), $handed.StandardErrorPath($name), $handed.StatusPath($name), $handed.ReadyPath($name)) { Format-Value $path }
Show 'features' $own.Inner.Features
$process = Wait-Task $own.Seen['process']
Show 'process' $process @('Id', 'Ended')
"$($process.Id.Pid -gt 0) $($process.Id.StartTime -gt 0) $($process.Id.BootId.Length)"
Show 'command' $own.Seen['command']
$started = Wait-Task $own.Seen['exec']
"$($started.Pid -gt 0) $($null -ne $started.StandardInput) $($null -ne $started.StandardOutput) $($started.StandardError) $($null -ne $started.Signal) $($null -ne $started.Resize)"
Show 'exit' (Wait-Task $started.Ended)
$attached = Wait-Task $own.Seen['attachment']
"$($null -ne $attached.Input) $($null -ne $attached.CloseInput) $($attached.Resize) $($null -ne $attached.Release) $($null -ne $attached.DrainAsync)"
[Stage1App]::InputAnnotation, [Stage1App]::ReadinessAnnotation, [Stage1App]::StopSignalAnnotation, [Stage1App]::StopTimeoutAnnotation

# Collected and removed.
$garbage = [GarbageOptions] @{ GracePeriod = [timespan]::Zero; ExpirePrepared = [timespan]::Zero; MarkOnly = $false }
Show 'garbage options' $garbage
Wait-Task ($own.Inner.CollectAsync($handed, [Threading.CancellationToken]::None))
Wait-Task ($pod.RemoveAsync())
$report = Wait-Task ($runtime.CollectGarbageAsync($garbage))
Show 'report' $report @('BytesFreed')
Show 'garbage' (Wait-Task $own.Seen['garbage'])
$prepared = Wait-Task ($runtime.PrepareAsync($spec))
Wait-Task ($runtime.RemoveAsync($prepared.Uuid))
(Get-Failure { Wait-Task ($runtime.OpenAsync($prepared.Uuid)) }).Failure
Wait-Task ($prepared.DisposeAsync().AsTask())
$health = Wait-Task ($runtime.CheckHealthAsync())
$failure = [LaunchException]::new('mount', 2, 'it cannot be mounted', 'look there')
"$($failure.Step) $($failure.Errno) $($failure.Message) $($failure.Hint)"
$failure = [Appc.AppcException]::new('something', 'do something')
"$($failure.Message) $($failure.Hint) $($failure.IsTransient)"
Wait-Task ($runtime.DisposeAsync().AsTask())
$own.Inner.Dispose()
$extended = [FlyPodRuntimeBuilderExtensions]::UseFly([PodRuntimeBuilder]::new("$Work/data")).Build()
"$($extended.Stage1s.Name)"
$extended.Dispose()
Show-Rebuilt $ended, $running, $seen, $result, $report, $health, $logs, $attach, $exec, $spec.Options, $own.Inner.Features, $cursor.Positions, $handed, $own.Seen['command'], $process, (Wait-Task $started.Ended), ([UnenforcedIsolator]::new([OomScoreAdjIsolator]::new(1), $name, 'why', 'what')), ([PodFinding]::new([PodFailure]::BadSpec, 'one')), ([TerminalSize]::new(1, 2)), $started, $attached, (Wait-Task $own.Seen['garbage']), $layer, ([Stage1HostReport] @{ Version = '1' })
