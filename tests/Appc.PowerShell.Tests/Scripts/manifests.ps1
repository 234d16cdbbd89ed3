# Reads, checks, builds and writes manifests, and the values in them.
using namespace Appc.Manifests
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"

# Values that are one text: each is parsed in two ways, compared, and written.
$texts = [ordered] @{
    AcIdentifier = 'example.com/web', 'example.com/Web!'
    AcName = 'web', 'Web_'
    AcKind = 'ImageManifest', 'ImageManifesto'
    AppReference = 'example.com/web:1.2,os=linux', ':1'
    ImageId = ('sha512-' + '0' * 128), 'sha512-xyz'
    Quantity = '1.5Gi', 'much'
    SemVer = '1.2.3-rc.1+build.5', '1.2'
    Timestamp = '2020-01-02T03:04:05+01:00', 'yesterday'
    Uuid = '6733c088-a507-4694-aabf-edbe4fc5266f', '6733c088'
}
foreach ($name in $texts.Keys) {
    $type = "Appc.Manifests.$name" -as [type]
    $good, $bad = $texts[$name]
    $parsed = $type::Parse($good)
    $again = $null
    $read = $type::TryParse($good, [ref] $again)
    $nothing = $null
    $refused = -not $type::TryParse($bad, [ref] $nothing)
    $failure = Get-Failure { $type::Parse($bad) }
    "$name $read $($parsed -eq $again) $($parsed.Equals($again)) $($parsed.GetHashCode() -eq $again.GetHashCode()) $($type::op_Equality($parsed, $again)) $($type::op_Inequality($parsed, $again)) $refused $($failure -is [ManifestException])"
    Show "  $parsed" $parsed
}
[AcIdentifier]::Sanitize('Example.COM//Web!').ToString(), [AcName]::Sanitize('Web Server').ToString()
[AcIdentifier]::Parse('a').CompareTo([AcIdentifier]::Parse('b')), [AcName]::Parse('a').CompareTo([AcName]::Parse('b'))
[AcKind]::ImageManifest.ToString(), [AcKind]::PodManifest.ToString(), ([AcKind]::PodManifest -eq [AcKind]::Parse('PodManifest'))
[AppReference]::new([AcIdentifier]::Parse('example.com/web'), [Label[]] @([Label]::new('version', '2'))).ToString()
$id = [ImageId]::OfBytes([Text.Encoding]::UTF8.GetBytes('abc'))
$id.Short, $id.StartsWith('sha512-ddaf35'), ([ImageId]::OfDigest([Convert]::FromHexString($id.ToString().Substring(7))) -eq $id)
[ImageId]::IsPrefix('sha512-ddaf'), [ImageId]::IsPrefix('ddaf'), [Math]::Sign($id.CompareTo([ImageId]::Parse('sha512-' + '0' * 128)))
"$([Quantity]::Of(3000)) $([Quantity]::OfMilli(1500)) $([Quantity]::OfBytes(1048576))", [Quantity]::Of(1).CompareTo([Quantity]::Of(2))
$version = [Appc.Manifests.SemVer]::Parse('1.2.3+a')
$version.ComparePrecedence([Appc.Manifests.SemVer]::Parse('1.2.3+b')), $version.CompareTo([Appc.Manifests.SemVer]::Parse('1.3.0'))
[Timestamp]::Of([DateTimeOffset]::new(2020, 1, 2, 3, 4, 5, [timespan]::Zero)).ToString()
$uuid = [Uuid]::Random()
($uuid -eq [Uuid]::Of($uuid.Value)), ($uuid -eq [Uuid]::Parse("$uuid")), $uuid.CompareTo($uuid)

# Operating systems and architectures.
$arm = [OsArch]::FromGo('linux', 'arm', '7')
$os = $arch = $flavor = $found = $null
"$arm $($arm.TryToGo([ref] $os, [ref] $arch, [ref] $flavor)) $os $arch $flavor $([OsArch]::TryFromGo('linux', 'arm64', '', [ref] $found)) $found"
[OsArch]::IsKnown('linux', 'amd64'), [OsArch]::IsKnown('linux', 'z80'), [OsArch]::IsKnownOs('plan9'), [OsArch]::IsKnown([OsArch]::Current.Os, [OsArch]::Current.Arch)

# An image manifest, built.
$app = [AppBuilder]::new().SetExec('/bin/web', '--port', '80').SetUser('1000', '1000').SetSupplementaryGids(10, 20)
$app = $app.SetWorkingDirectory('/srv').SetEnvironment('MODE', 'fast').AddMountPoint('data', '/data', $true)
$app = $app.AddPort('http', 80, 'tcp', 1, $true).AddEventHandler('pre-start', '/bin/init', '-x').LimitCpu('500m').LimitMemory('64Mi')
$app = $app.AddIsolator([Isolator]::Create([IsolatorNames]::NoNewPrivileges, 'true'))
$builder = [ImageManifestBuilder]::new('example.com/web').SetVersion('1.2').SetOsArch('linux', 'amd64').SetLabel('channel', 'beta')
$builder = $builder.SetAnnotation('authors', 'Me').AddPaths('/bin/web', '/srv').AddDependency('example.com/base:1', "$id", 1234).SetApp($app)
$image = $builder.Build()
Show 'image' $image
$image.ToJson(), $image.GetLabel('version'), $image.GetAnnotation('authors'), $image.Validate().Count
$app.Build() -eq $image.App
[ImageManifestBuilder]::new('example.com/web').SetApp($image.App).Build().App -eq $image.App
$utf8 = $image.ToJsonBytes()
[ImageManifest]::Parse($utf8) -eq $image
[ImageManifest]::Parse($utf8, [ManifestLimits]::new()) -eq $image
[ImageManifest]::Parse($image.ToJson($true)) -eq $image

# A pod manifest, built.
$pod = [PodManifestBuilder]::new().AddApp('web', "$id", $image.App, 'volume=data,target=/data').AddVolume('data,kind=empty,mode=0750,uid=5,gid=6')
$pod = $pod.AddVolume([Volume]::Parse('logs,kind=host,source=/var/log,readOnly=true,recursive=false')).AddPort('http', 8080, '127.0.0.1')
$runtimeApp = [RuntimeApp] @{
    Name = [AcName]::Parse('second'); ReadOnlyRootFs = $true; Mounts = [Mount[]] @([Mount]::Parse('volume=logs,target=/logs'))
    Image = [RuntimeImage] @{ Id = $id; Name = [AcIdentifier]::Parse('example.com/second'); Labels = [Label[]] @([Label]::new('version', '1')) }
    Annotations = [Annotation[]] @([Annotation]::new('order', '2'))
}
$pod = $pod.AddApp($runtimeApp).AddIsolator([CpuIsolator]::new([Quantity]::Of(2))).SetAnnotation('note', 'x').Build()
Show 'pod' $pod
$pod.ToJson(), $pod.Validate().Count
$utf8 = $pod.ToJsonBytes()
[PodManifest]::Parse($utf8) -eq $pod
[PodManifest]::Parse($utf8, $null) -eq $pod
[PodManifest]::Parse($pod.ToJson($true)) -eq $pod

# Faults: every one, and limits.
$report = [Manifest]::Validate('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"Bad Name","labels":[{"name":"os"}],"x":1}')
Show 'report' $report
"$($report.Findings[0])"
$failure = Get-Failure { $report.ThrowIfInvalid() }
$failure.Findings.Count -eq $report.Findings.Count
$report = [Manifest]::Validate($pod.ToJsonBytes(), [ManifestKind]::Pod)
$report.ThrowIfInvalid().Pod -eq $pod
$report.ToJson() -eq $pod.ToJson()
$limits = [ManifestLimits] @{ MaxBytes = 10; MaxDepth = 5; MaxFindings = 3; MaxValues = 100 }
Show 'limits' $limits
[Manifest]::Validate($pod.ToJson(), [ManifestKind]::Auto, $limits).Findings[0].Message
$failure = [ManifestException]::new('no manifest', 'write one')
$failure.Message, $failure.Hint, $failure.Findings.Count, $failure.IsTransient
[Manifest]::SpecificationVersion

# Isolators: as they are made, and as they are read.
$isolators = @(
    [CpuIsolator]::new([Quantity]::Parse('1'), [Quantity]::Parse('500m')), [MemoryIsolator]::new([Quantity]::Parse('1Gi'))
    [BlockBandwidthIsolator]::new([Quantity]::Parse('1M')), [BlockIopsIsolator]::new([Quantity]::Parse('100')), [NetworkBandwidthIsolator]::new([Quantity]::Parse('1G'))
    [CpuSharesIsolator]::new(512), [OomScoreAdjIsolator]::new(-100), [NoNewPrivilegesIsolator]::new($true)
    [CapabilitiesRetainSetIsolator]::new([string[]] @('CAP_KILL')), [CapabilitiesRemoveSetIsolator]::new([string[]] @('CAP_CHOWN', 'CAP_FOWNER'))
    [SeccompRetainSetIsolator]::new([string[]] @('@appc.io/all', 'read'), 'ENOSYS'), [SeccompRemoveSetIsolator]::new([string[]] @('reboot'))
    [SelinuxContextIsolator]::new('user_u', 'role_r', 'type_t', 's0'), [AppArmorProfileIsolator]::new('web')
    [SysctlIsolator]::new([Collections.Generic.Dictionary[string, string]]::new())
    [Isolator]::new([AcIdentifier]::Parse('example.com/own'), '{"x":1}')
)
foreach ($isolator in $isolators) {
    Show "$($isolator.Name) $([Isolator]::Create($isolator.Name, $isolator.ValueJson) -eq $isolator) $($isolator.Equals($isolator)) $($isolator.ToString().Length -gt 0)" $isolator
}
[CapabilitySetIsolator]::DefaultSet -join ' '
[SeccompIsolator]::All, [SeccompIsolator]::Empty
foreach ($name in @(
    [IsolatorNames]::AppArmorProfile, [IsolatorNames]::BlockBandwidth, [IsolatorNames]::BlockIops, [IsolatorNames]::CapabilitiesRemoveSet
    [IsolatorNames]::CapabilitiesRetainSet, [IsolatorNames]::Cpu, [IsolatorNames]::CpuShares, [IsolatorNames]::Memory, [IsolatorNames]::NetworkBandwidth
    [IsolatorNames]::NoNewPrivileges, [IsolatorNames]::OomScoreAdj, [IsolatorNames]::SeccompRemoveSet, [IsolatorNames]::SeccompRetainSet
    [IsolatorNames]::SelinuxContext, [IsolatorNames]::Sysctl)) { $name }

# Records of all kinds, with members that no one knows, made by hand.
$unknown = [UnknownMember[]] @([UnknownMember]::new('x', '1'))
$mount = [Mount]::Parse('volume=data,target=/data')
$point = [MountPoint]::Parse('data,path=/data,readOnly=true')
$port = [Port]::Parse('http,port=80,protocol=tcp,count=2,socketActivated=true')
foreach ($text in $mount, $point, $port, [Volume]::Parse('logs,kind=host,source=/var/log')) { "$text" }
$exposed = [ExposedPort] @{ Name = [AcName]::Parse('http'); HostPort = 8080; HostIp = '::1'; PodPort = $port; UnknownMembers = $unknown }
Show 'exposed' $exposed
Show-Rebuilt $image, $pod, $report, $exposed, $unknown, $arm, ([Manifest]::Validate('{')), $mount, $point, ([MountPoint]::new([AcName]::Parse('a'), '/a'))
$changed = [Mount]::new([AcName]::Parse('data'), '/data')
$changed.AppVolume = [Volume]::Parse('own,kind=empty')
$changed.UnknownMembers = $unknown
"$changed $($changed.AppVolume) $($changed.UnknownMembers.Count)"
