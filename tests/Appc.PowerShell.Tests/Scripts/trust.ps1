# Signs images in every way, keeps keys, decides on trust, and does the same with a verifier and a signer of its own.
using namespace Appc.Images
using namespace Appc.Manifests
using namespace Appc.Signing
using namespace Appc.Trust
param([string] $Modules, [string] $Work)
. "$PSScriptRoot/common.ps1"
. "$PSScriptRoot/verifier.ps1"
$secret, $public = "$Work/../secret.asc", "$Work/../public.asc"
$name = [AcIdentifier]::Parse('example.com/signed')
$manifest = [ImageManifestBuilder]::new("$name").SetVersion('1').Build()
$entries = [AciEntry[]] @([AciEntry]::Directory('bin'))
$id = Wait-Task ([AciWriter]::BuildAsync($manifest, $entries, "$Work/signed.aci"))

# Keys.
$options = [KeystoreOptions]::new()
"$($options.Directories -join ' ') $([KeystoreOptions]::LocalDirectory) $([KeystoreOptions]::VendorDirectory)"
$options.Directories.Clear()
$options.Directories.Add("$Work/keys")
$options.Directories.Add("$Work/vendor")
$options.Entries = 100
$options.KeyFileBytes = 100000
$options.Policy = [OpenPgpPolicy] @{ AllowDsa = $false; ClockTolerance = [timespan]::FromMinutes(5); MinimumRsaBits = 3072; SignatureBytes = 100000; SignatureCount = 5 }
Show 'options' $options
$store = [Keystore]::new($options)
Format-Value $store.Directories
$key = (Wait-Task ($store.ReadKeysAsync([IO.File]::OpenRead($public))))[0]
Show 'key' $key @('Fingerprint')
$key.ToArmor().StartsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----'), ($key.FormatFingerprint().Replace(' ', '') -eq $key.Fingerprint)
$trusted = Wait-Task ($store.AddAsync($key, $name))
Show 'trusted' $trusted @('Key', 'Fingerprint', 'Path')
(Wait-Task ($store.AddAsync([IO.File]::OpenRead($public), [AcIdentifier]::Parse('example.com/other')))).Count
(Wait-Task ($store.AddFileAsync($public, $null))).Count
$listing = Wait-Task ($store.ListAsync())
Show 'listing' $listing @('Key', 'Fingerprint', 'Path')
$explained = Wait-Task ($store.ExplainAsync($name))
Show 'explained' $explained @('Fingerprint', 'Path')
$removed = Wait-Task ($store.RemoveAsync($key.Fingerprint, $null))
Show 'removed' $removed @('Path')
[IO.File]::WriteAllText("$($trusted.Path.Substring(0, $trusted.Path.LastIndexOf('/')))/$('0' * 40)", 'no key')
Show 'problems' (Wait-Task ($store.ListAsync())).Problems[0] @('Path')

# Signatures: of a key file, with gpg, and by a signer that is a class of the script.
$signer = Wait-Task ([KeyFileSigner]::LoadAsync($secret))
($signer.Fingerprint -eq (Wait-Task ([KeyFileSigner]::LoadAsync($secret, [IO.MemoryStream]::new()))).Fingerprint), ($signer.PrimaryFingerprint -eq $key.Fingerprint)
$armor = Wait-Task ($signer.SignAsync([IO.File]::OpenRead("$Work/signed.aci")))
$armor.StartsWith('-----BEGIN PGP SIGNATURE-----')
Format-Value (Wait-Task ([OpenPgpSigner]::SignFileAsync("$Work/signed.aci", $secret, [NullString]::Value, "$Work/by-file.asc")))
Format-Value (Wait-Task ([OpenPgpSigner]::SignFileAsync("$Work/signed.aci", [WrappedSigner]::new($signer))))
[void] [IO.Directory]::CreateDirectory("$Work/gnupg", 448)
[void] (gpg --homedir "$Work/gnupg" --batch --quiet --import $secret 2>&1)
$gpg = [GpgSigner]::new($key.Fingerprint, "$Work/gnupg", 'gpg')
(Wait-Task ($gpg.SignAsync([IO.File]::OpenRead("$Work/signed.aci")))).StartsWith('-----BEGIN PGP SIGNATURE-----')
[void] (gpg --homedir "$Work/gnupg" --batch --quiet --passphrase '' --quick-generate-key 'Other <other@example.com>' ed25519 sign 1y 2>&1)
$primary = (gpg --homedir "$Work/gnupg" --batch --with-colons --list-keys other@example.com 2>$null | Where-Object { $_ -like 'fpr:*' }).Split(':')[9]
[void] (gpg --homedir "$Work/gnupg" --batch --quiet --passphrase '' --quick-add-key $primary ed25519 sign 1y 2>&1)
[void] (gpg --homedir "$Work/gnupg" --batch --quiet --armor --output "$Work/other.asc" --export other@example.com 2>&1)
$other = (Wait-Task ($store.ReadKeysAsync([IO.File]::OpenRead("$Work/other.asc"))))[0]
Show "$other".Replace($other.Fingerprint, 'FINGERPRINT') $other @('Fingerprint')
gpgconf --homedir "$Work/gnupg" --kill all

# A check of one signature, step by step.
$verifier = [OpenPgpVerifier]::new($store, $options.Policy)
$check = Wait-Task ($verifier.BeginAsync([IO.File]::OpenRead("$Work/signed.aci.asc"), $name))
Show 'candidate' $check.Candidates[0] @('Fingerprint', 'PrimaryFingerprint')
$check.Append([IO.File]::ReadAllBytes("$Work/signed.aci"))
$verdict = $check.Complete()
$check.Dispose()
"$($verdict.SignerFor($name).ScopeFor($name)) $($verdict.Signers.Count) $($verdict.SignerFor([AcIdentifier]::Parse('example.com/none')))"
[NameScope]::Covers('example.com', $name), [NameScope]::Covers('example.org', $name)
$check = Wait-Task ($verifier.BeginAsync([IO.File]::OpenRead("$Work/signed.aci.asc"), $name))
$check.Append([byte[]] (1, 2, 3))
$failure = Get-Failure { $check.Complete() }
"$($failure.Failure) $($failure.Hint.Length -gt 0)"
Show 'made failure' ([TrustException]::new([TrustFailure]::Keystore, 'no keys', 'add one')) @('StackTrace', 'TargetSite', 'Source', 'HResult')

# Policies.
foreach ($policy in [TrustPolicy]::RequireSignature, [TrustPolicy]::Insecure, [TrustPolicy]::RequireKeys(1, $key.Fingerprint), [TrustPolicy]::AllowImages("$id")) {
    "$(Format-Value "$policy") $($policy.Allows($id)) $($policy -eq [TrustPolicy]::Insecure)"
}
$policy = [TrustPolicy]::RequireSignature.WithImages("$id").WithKeys(1, $key.Fingerprint)
Show 'policy' $policy

# A store that asks the verifier; one that asks a verifier of the script.
$images = [ImageStore]::new("$Work/data", [ImageStoreOptions] @{ Verifier = $verifier })
$stored = Wait-Task ($images.ImportAsync("$Work/signed.aci"))
Show 'provenance' $stored.Provenance @('Fingerprint', 'PrimaryFingerprint')
$decision = Wait-Task ($images.CheckTrustAsync($id))
Show 'decision' $decision @('Fingerprint', 'PrimaryFingerprint')
$own = [HashVerifier]::new()
$images = [ImageStore]::new("$Work/own", [ImageStoreOptions] @{ Verifier = $own })
[IO.File]::WriteAllText("$Work/hash.asc", [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([IO.File]::ReadAllBytes("$Work/signed.aci"))))
(Wait-Task ($images.ImportAsync("$Work/signed.aci", [ImportOptions] @{ SignaturePath = "$Work/hash.asc" }))).Provenance.Signer.UserId
[IO.File]::WriteAllText("$Work/hash.asc", '00')
(Get-Failure { Wait-Task ($images.ImportAsync("$Work/signed.aci", [ImportOptions] @{ SignaturePath = "$Work/hash.asc" })) }).Failure

# A runtime with the same keys.
$builder = [OpenPgpPodRuntimeBuilderExtensions]::UseOpenPgp([Appc.Pods.PodRuntimeBuilder]::new("$Work/runtime"), $options).UseTrustPolicy($policy)
$runtime = $builder.Build()
(Wait-Task ($runtime.FetchAsync("$Work/signed.aci"))).Provenance.Basis
$runtime.Dispose()
$second = [Appc.Pods.PodRuntimeBuilder]::new("$Work/other").UseVerifier([ISignatureVerifier] $own).Build()
"$($second.Images.Trust)"
$second.Dispose()
$third = [Appc.Pods.PodRuntimeBuilder]::new("$Work/third").UseVerifier([Func[Appc.Pods.PodRuntimeBuilder, ISignatureVerifier]] { param($builder) $verifier }).Build()
$third.Dispose()
Show-Rebuilt $trusted, $other, $listing, $explained, $removed, $verdict, $decision, $stored.Provenance, ([OfferedKey]::new($key, 'here')), (Wait-Task ($store.ListAsync())).Problems
