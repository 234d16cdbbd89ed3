# Finds and fetches images from a server of its own, with progress, credentials, keys and every option.
using namespace Appc.Fetching
using namespace Appc.Images
using namespace Appc.Manifests
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
. "$PSScriptRoot/callbacks.ps1"
$arch = [OsArch]::Current.Arch
$base = [ImageManifestBuilder]::new('example.com/base').SetVersion('1').SetOsArch('linux', $arch).Build()
$baseId = Wait-Task ([AciWriter]::BuildAsync($base, [AciEntry[]] @([AciEntry]::Directory('bin')), "$Work/base-1.aci"))
$web = [ImageManifestBuilder]::new('example.com/web').SetVersion('1').SetOsArch('linux', $arch).AddDependency('example.com/base:1').Build()
$webId = Wait-Task ([AciWriter]::BuildAsync($web, [AciEntry[]] @([AciEntry]::Directory('srv')), "$Work/web-1.aci"))

# A server of plain http that answers while the script waits.
$probe = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
$probe.Start()
$port = $probe.LocalEndpoint.Port
$probe.Stop()
$server = [Net.HttpListener]::new()
$server.Prefixes.Add("http://*:$port/")
$server.Start()
$tags = '<meta name="ac-discovery" content="example.com http://example.com/images/{name}-{version}.{ext}">' +
    '<meta name="ac-discovery-pubkeys" content="example.com http://example.com/keys.asc"><meta name="ac-discovery" content="example.org x">'
$script:next = $server.GetContextAsync()
function Wait-Served($task) {
    while (-not $task.IsCompleted) {
        if ([Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]] @($task, $script:next), 20) -ne 1) { continue }
        $context = $script:next.GetAwaiter().GetResult()
        $script:next = $server.GetContextAsync()
        $path = $context.Request.Url.AbsolutePath
        $file = "$Work/" + $path.Substring($path.LastIndexOf('/') + 1)
        $bytes = $null
        if ($context.Request.Url.Query -eq '?ac-discovery=1') { $bytes = [Text.Encoding]::UTF8.GetBytes("<html><head>$tags</head></html>") }
        elseif ($path -eq '/keys.asc') { $bytes = [IO.File]::ReadAllBytes("$Work/../public.asc") }
        elseif ([IO.File]::Exists($file)) { $bytes = [IO.File]::ReadAllBytes($file) }
        if ($null -eq $bytes) { $context.Response.StatusCode = 404 } else { $context.Response.OutputStream.Write($bytes, 0, $bytes.Length) }
        $context.Response.Close()
    }
    Wait-Task $task
}

# References.
foreach ($text in 'example.com/web:1,channel=beta', 'sha512-0123ab', 'http://example.com/web.aci', './web.aci') {
    $reference = [ImageReference]::Parse($text)
    $again = $null
    "$([ImageReference]::TryParse($text, [ref] $again)) $($reference -eq $again) $($reference.Equals($again)) $($reference.GetHashCode() -eq $again.GetHashCode())"
    Show "$reference" $reference
}
[ImageReference]::Parse('example.com/web:1').GetLabel('version')
"$([ImageReference]::ForName($web.Name, [Label[]] @([Label]::new('version', '1')))) $(Format-Value "$([ImageReference]::ForId($webId))")"

# Options, and credentials of files and of the script.
[void] [IO.Directory]::CreateDirectory("$Work/auth.d")
[IO.File]::WriteAllText("$Work/auth.d/a.json", '{"rktKind":"auth","rktVersion":"v1","domains":["example.com"],"type":"basic","credentials":{"user":"u","password":"p"}}')
$credentials = [FetchCredentials]::Load([string[]] @("$Work/auth.d"))
$credentials.AddBasic('a.example.com', 'user', 'secret')
$credentials.AddBearer('b.example.com', 'token')
$credentials.Domains -join ' '
$made = [FetchCredentials]::new()
$made.Domains.Count
$fetcherOptions = [ImageFetcherOptions] @{
    AllowInvalidTls = $false; CertificateAuthorityFile = [NullString]::Value; ConnectTimeout = [timespan]::FromSeconds(20); Credentials = $credentials
    DocumentTimeout = [timespan]::FromMinutes(1); HttpHandler = $null; IdleTimeout = [timespan]::FromMinutes(1); LoggerFactory = $null; MaxParallelDownloads = 2
    MaxRedirects = 3; MaxRetries = 1; MaxRetryDelay = [timespan]::FromSeconds(1); MinimumSpeed = 1; Proxy = $null; RetryDelay = [timespan]::FromMilliseconds(10)
    TimeProvider = [TimeProvider]::System; UserAgent = 'a script'
}
$fetcherOptions.ConnectTo['example.com'] = "127.0.0.1:$port"
Show 'fetcher options' $fetcherOptions @('TimeProvider', 'ConnectTo')

# Discovery.
$discovery = [ImageDiscovery]::new($fetcherOptions)
$discoveryOptions = [DiscoveryOptions] @{ AllowHttp = $true; Arch = $arch; Os = 'linux'; DefaultPlatform = $true; Images = $true; PublicKeys = $true; SimpleDiscovery = $false }
Show 'discovery options' $discoveryOptions @('Arch')
$found = Wait-Served ($discovery.DiscoverAsync('example.com/web:1', $discoveryOptions))
Show 'found' $found @('Detail')
(Wait-Served ($discovery.DiscoverAsync([ImageReference]::Parse('example.com/web:1'), $discoveryOptions))).Images[0].Aci
(Wait-Served ($discovery.DiscoverAsync($web.Name, [Label[]] @([Label]::new('version', '2')), $discoveryOptions))).Images[0].Aci
(Wait-Served ($discovery.DownloadKeysAsync('http://example.com/keys.asc', $true))).Length -gt 100
$keystoreOptions = [Appc.Signing.KeystoreOptions]::new()
$keystoreOptions.Directories.Clear()
$keystoreOptions.Directories.Add("$Work/keys")
$keys = [Appc.Signing.KeyDiscovery]::new([Appc.Signing.Keystore]::new($keystoreOptions), $discovery)
$offered = Wait-Served ($keys.DiscoverAsync($web.Name, $true))
"$($offered.Count) $($offered[0].Source) $($offered[0].Key.UserIds[0])"
(Wait-Served ($keys.ReadUrlAsync('http://example.com/keys.asc', $true)))[0].Key.Fingerprint -eq $offered[0].Key.Fingerprint
$discovery.Dispose()

# Fetching, of names, addresses and files.
$store = [ImageStore]::new("$Work/data", [ImageStoreOptions] @{ Trust = [TrustPolicy]::Insecure })
$fetcher = [ImageFetcher]::new($store, $null, $fetcherOptions)
"$($fetcher.Store -eq $store) $($null -ne $fetcher.Discovery)"
$options = [FetchOptions] @{
    AllowHttp = $true; Arch = $arch; Os = 'linux'; Dependencies = $true; DownloadBytes = 1000000; Limits = [ArchiveLimits]::new(); MaxDependencies = 5
    PullPolicy = [PullPolicy]::New; SignaturePath = [NullString]::Value; Trust = [TrustPolicy]::Insecure
}
Show 'options' $options @('Arch', 'Limits')
$progress = [SeenFetch]::new()
$result = Wait-Served ($fetcher.FetchAsync('example.com/web:1', $options, $progress))
"$($result.Image.Id -eq $webId) $($result.Origin) $($result.Dependencies.Count) $($result.Dependencies[0].Image.Id -eq $baseId) $($result.Discovery.Images.Count)"
Show 'progress' $progress.Last @('Bytes', 'TotalBytes', 'BytesPerSecond', 'Source', 'Phase')
(Wait-Served ($fetcher.FetchAsync([ImageReference]::Parse("$Work/web-1.aci"), $options))).Origin
$failure = Get-Failure { Wait-Served ($fetcher.FetchAsync('http://example.com/none.aci', $options)) }
"$($failure.Failure) $($failure.StatusCode) $($failure.IsTransient) $($failure.RetryAfter) $($failure.Discovery)"
$failure = [FetchException]::new([FetchFailure]::Network, 'no network', 'plug it in')
"$($failure.Message) $($failure.Hint) $($failure.Failure)"
$fetcher.Dispose()

# The same by a runtime.
$runtime = [Appc.Pods.PodRuntimeBuilder]::new("$Work/runtime").UseFetcherOptions($fetcherOptions).UseTrustPolicy([TrustPolicy]::Insecure).Build()
$options.Dependencies = $false
(Wait-Served ($runtime.FetchAsync('example.com/base:1', $options, $progress))).Id -eq $baseId
$runtime.Fetcher.Store -eq $runtime.Images
$runtime.Dispose()
$server.Stop()
Show-Rebuilt $found, $result, $progress.Last, $offered
