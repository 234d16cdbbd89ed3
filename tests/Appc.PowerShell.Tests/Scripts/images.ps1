# Builds, checks and changes images; imports, lists, resolves, verifies, exports, extracts, collects and removes them.
using namespace Appc.Images
using namespace Appc.Manifests
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
. "$PSScriptRoot/callbacks.ps1"
$root = [IO.Path]::GetFullPath("$Work/../rootfs")
$then = [DateTimeOffset]::new(2020, 1, 2, 3, 4, 5, [timespan]::Zero)

# Built of a directory, of entries, and changed.
$base = [ImageManifestBuilder]::new('example.com/base').SetVersion('1').SetOsArch('linux', [OsArch]::Current.Arch).Build()
$options = [AciBuildOptions] @{ Compression = [ArchiveCompression]::Gzip; FixedTime = $then; Overwrite = $true; OwnerRoot = $true }
Show 'options' $options
$baseId = Wait-Task ([AciWriter]::BuildAsync($base, $root, "$Work/base.aci", $options))
$run = [AciEntry]::File('run', [Text.Encoding]::UTF8.GetBytes('#!/bin/sh'))
$run.Path = 'bin/run'
$run.Mode = 0x1ED
$run.Uid = 5
$run.Gid = 6
$run.ModifyTime = $then
$run.Attributes['user.note'] = [byte[]] (1, 2)
$named = [AciEntry]::SymbolicLink('x', 'y')
$named.PathBytes = [byte[]] (0x62, 0x69, 0x6E, 0x2F, 0x6C)
$named.LinkTarget = 'z'
$named.LinkTargetBytes = [byte[]] (0x72, 0x75, 0x6E)
$made = [Bytes] @{ Content = 1, 2, 3, 4 }
$entries = [AciEntry[]] @(
    $run, $named, [AciEntry]::Directory('bin'), [AciEntry]::HardLink('bin/again', 'bin/run'), [AciEntry]::Fifo('pipe'), [AciEntry]::Device('null', $false, 0, 0)
    [AciEntry]::File('copy', "$root/bin/busybox"), [AciEntry]::File('made', 4, [Func[IO.Stream]] $made.Open)
)
$entries[5].DeviceMajor = 1
$entries[5].DeviceMinor = 3
foreach ($entry in $entries) { Show 'entry' $entry @('Length', 'ModifyTime') }
$manifest = [ImageManifestBuilder]::new('example.com/web').SetVersion('1').SetOsArch('linux', [OsArch]::Current.Arch).AddDependency('example.com/base:1').Build()
$webId = Wait-Task ([AciWriter]::BuildAsync($manifest, $entries, "$Work/web.aci", [AciBuildOptions] @{ Compression = [ArchiveCompression]::None }))
$changes = [AciChanges]::new()
$changes.Manifest = [ImageManifestBuilder]::new('example.com/web').SetVersion('2').SetOsArch('linux', [OsArch]::Current.Arch).AddDependency('example.com/base:1').Build()
$changes.Limits = [ArchiveLimits]::new()
$changes.Remove.Add('made')
$changes.Entries.Add([AciEntry]::File('new', [byte[]] (1)))
Show 'changes' $changes @('Manifest')
$secondId = Wait-Task ([AciWriter]::ChangeAsync("$Work/web.aci", $changes, "$Work/web2.aci"))
$secondId -ne $webId

# Checked.
$limits = [ArchiveLimits] @{ AllowZstd = $true; Entries = 100; ExpandedBytes = 100000000; ExtendedHeaderBytes = 1000000; ManifestBytes = 65536; PathBytes = 1024; Ratio = 2000 }
Show 'limits' $limits
$stream = [IO.File]::OpenRead("$Work/web2.aci")
$report = Wait-Task ([AciValidator]::CheckAsync($stream, $limits))
$stream.Position = 0
$summary = Wait-Task ([AciValidator]::ValidateAsync($stream, $limits))
$stream.Dispose()
Show 'report' $report @('ExpandedBytes', 'Manifest')
$summary -eq $report.Summary
$stream = [IO.MemoryStream]::new([byte[]] (1, 2, 3))
$bad = Wait-Task ([AciValidator]::CheckAsync($stream))
Show 'bad report' $bad
$failure = Get-Failure { Wait-Task ([AciValidator]::ValidateAsync([IO.MemoryStream]::new([byte[]] (1, 2, 3)))) }
Show 'failure' ([ImageException]::new([ImageFailure]::BadArchive, 'damaged', 'fetch it again')) @('StackTrace', 'TargetSite', 'Source', 'HResult')
"$($failure.GetType().Name) $($failure.Failure)"

# Imported.
$users = [Users]::new()
$storeOptions = [ImageStoreOptions] @{ Trust = [TrustPolicy]::Insecure; RenderTrees = $true; FindUser = [Func[ImageId, string]] $users.Find }
$storeOptions.LoggerFactory = $null
$storeOptions.Verifier = $null
$storeOptions.TimeProvider = [TimeProvider]::System
Show 'store options' $storeOptions @('TimeProvider', 'FindUser')
$store = [ImageStore]::new("$Work/data", $storeOptions)
"$(Format-Value $store.Root) $($store.Trust)"
$import = [ImportOptions] @{ ExpectedName = $base.Name; ExpectedId = $baseId; Latest = $true; Source = 'here'; Trust = [TrustPolicy]::Insecure; Limits = $limits }
$import.SignaturePath = [NullString]::Value
$import.ExpectedLabels.Add([Label]::new('version', '1'))
$import.CompatibleLabels.Add([Label]::new('os', 'linux'))
Show 'import' $import
$progress = [SeenImport]::new()
$first = Wait-Task ($store.ImportAsync("$Work/base.aci", $import, $progress))
Show 'imported' $first @('ArchiveBytes', 'Manifest')
Show 'progress' $progress.Last @('Bytes', 'TotalBytes')
$web = Wait-Task ($store.ImportAsync("$Work/web.aci"))
[void] (Wait-Task ($store.ImportAsync("$Work/web2.aci")))

# Found.
(Wait-Task ($store.ListAsync())).Count
(Wait-Task ($store.FindAsync($manifest.Name, [Label[]] @([Label]::new('version', '1'))))).Id -eq $webId
(Wait-Task ($store.GetAsync($webId))).Id -eq $webId
(Wait-Task ($store.ResolveAsync('example.com/web:2'))).Id -eq $secondId
(Wait-Task ($store.ResolveIdAsync($baseId.Short))) -eq $baseId
(Get-Failure { Wait-Task ($store.ResolveAsync('example.com/none')) }).Failure

# Read and written.
(Wait-Task ($store.GetLayersAsync($webId))).Count
(Wait-Task ($store.GetTreeDigestAsync($webId))).StartsWith('sha256-')
Wait-Task ($store.ExportAsync($webId, "$Work/exported.aci", $true))
([ImageId]::OfBytes([IO.File]::ReadAllBytes("$Work/web.aci")) -eq $webId), ([ImageId]::OfBytes([IO.File]::ReadAllBytes("$Work/exported.aci")) -eq $webId)
Wait-Task ($store.ExtractAsync($webId, "$Work/extracted"))
Wait-Task ($store.RenderAsync($webId, "$Work/rendered"))
"$([IO.File]::Exists("$Work/extracted/bin/run")) $([IO.File]::Exists("$Work/rendered/bin/busybox"))"
(Wait-Task ($store.CheckTrustAsync($webId, [TrustPolicy]::Insecure))).Basis

# Verified.
$verify = [ImageVerifyOptions] @{ Dependencies = $true; Limits = $limits; Trust = [TrustPolicy]::Insecure }
Show 'verify' $verify
$verifying = [SeenVerification]::new()
$verified = Wait-Task ($store.VerifyAsync($webId, $verify, $verifying))
Show 'verified' $verified @('Manifest', 'TreeFiles')
$all = Wait-Task ($store.VerifyAllAsync($verify))
"$($all.IsGood) $($all.Images.Count)"
Show 'verifying' $verifying.Last @('Bytes', 'TotalBytes')
[IO.File]::WriteAllText("$($web.TreePath)/new", 'x')
$broken = Wait-Task ($store.VerifyAsync($webId, [ImageVerifyOptions] @{ Trust = [TrustPolicy]::Insecure }))
Show 'broken' $broken @('Manifest', 'TreeFiles')

# Held, collected, removed.
$hold = Wait-Task ($store.HoldAsync($webId))
(Get-Failure { Wait-Task ($store.RemoveAsync($webId)) }).Failure
$hold.Dispose()
$collect = [ImageCollectOptions] @{ DryRun = $true; GracePeriod = [timespan]::FromHours(1) }
Show 'collect' $collect
$kept = Wait-Task ($store.CollectAsync($collect))
Show 'kept' $kept @('RenderedTrees')
$users.User = 'a pod'
(Wait-Task ($store.CollectAsync([ImageCollectOptions] @{ GracePeriod = [timespan]::Zero }))).Kept.Count
$users.User = ''
$collected = Wait-Task ($store.CollectAsync([ImageCollectOptions] @{ GracePeriod = [timespan]::Zero }))
Show 'collected' $collected @('Bytes', 'BytesFreed', 'RenderedTrees')
[void] (Wait-Task ($store.ImportAsync("$Work/base.aci")))
Wait-Task ($store.RemoveAsync($baseId))
(Wait-Task ($store.CollectLeftoversAsync()))
Show-Rebuilt $first, $report, $summary, $bad, $kept, $collected, $verified, $broken, $progress.Last, $verifying.Last, $limits
