# Builds an image from a directory, signs it, trusts its key, stores it, and runs it as a pod.
# Prints what the app wrote; the last output of the script is the exit code of the app. Needs root, as all pods do.
#
#   dotnet publish samples/powershell -c Release -o modules
#   gpg --batch --passphrase '' --quick-generate-key 'Me <me@example.com>' ed25519 sign
#   gpg --armor --export-secret-keys me@example.com > secret.asc
#   gpg --armor --export me@example.com > public.asc
#   pwsh samples/powershell/run-pod.ps1 -Modules modules -Rootfs rootfs -SecretKey secret.asc -PublicKey public.asc -Root data
param(
    [string] $Modules = './modules',
    [string] $Rootfs = './rootfs',
    [string] $SecretKey = './secret.asc',
    [string] $PublicKey = './public.asc',
    [string] $Root = '/var/lib/appc',
    [string] $Stage1 = 'nspawn',
    [string] $Command = 'echo hello from $AC_APP_NAME; exit 3'
)
$ErrorActionPreference = 'Stop'
# The libraries know the directory of the process, not the one of the shell.
function Full([string] $path) { [IO.Path]::GetFullPath($path, $PWD.Path) }
foreach ($name in 'Appc.Core', 'Appc.Signing', 'Appc.Stage1') {
    [void] [Reflection.Assembly]::LoadFrom((Full "$Modules/$name.dll"))
}
$Root = Full $Root

# Build, and sign.
$manifest = [Appc.Manifests.ImageManifest]::Parse(@'
{
  "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/from-powershell",
  "app": { "exec": ["/bin/sh"], "user": "0", "group": "0" }
}
'@)
$image = [IO.Path]::GetTempFileName()
$building = [Appc.Images.AciBuildOptions] @{ Overwrite = $true }
$id = [Appc.Images.AciWriter]::BuildAsync($manifest, (Full $Rootfs), $image, $building).GetAwaiter().GetResult()
$signature = [Appc.Signing.OpenPgpSigner]::SignFileAsync($image, (Full $SecretKey)).GetAwaiter().GetResult()

# Trust the key, for names below example.com alone.
$keys = [Appc.Signing.KeystoreOptions]::new()
$keys.Directories.Clear()
$keys.Directories.Add("$Root/trustedkeys")
$store = [Appc.Signing.Keystore]::new($keys)
[void] $store.AddFileAsync((Full $PublicKey), [Appc.Manifests.AcIdentifier]::Parse('example.com')).GetAwaiter().GetResult()

# Put a runtime together, and store the image: its signature is checked here.
$builder = [Appc.Pods.PodRuntimeBuilder]::new($Root)
$builder = [Appc.Signing.OpenPgpPodRuntimeBuilderExtensions]::UseOpenPgp($builder, $keys)
$builder = [Appc.Stage1.Nspawn.NspawnPodRuntimeBuilderExtensions]::UseNspawn($builder)
$builder = [Appc.Stage1.Fly.FlyPodRuntimeBuilderExtensions]::UseFly($builder)
$runtime = $builder.Build()
try {
    $stored = $runtime.FetchAsync($image).GetAwaiter().GetResult()
    if ($stored.Id -ne $id) { throw "stored $($stored.Id), built $id" }

    # Run a pod of one app, and wait for its end.
    $app = [Appc.Pods.AppSpec]::new($stored)
    $app.Arguments.Add('-c')
    $app.Arguments.Add($Command)
    $spec = [Appc.Pods.PodSpec]::new($app)
    $spec.Stage1 = $Stage1
    $pod = $runtime.RunAsync($spec).GetAwaiter().GetResult()
    $status = $pod.WaitAsync().GetAwaiter().GetResult()
    $pod.ReadOutputAsync().GetAwaiter().GetResult().TrimEnd()
    [void] $pod.RemoveAsync().GetAwaiter().GetResult()
    $status.ExitCode
}
finally {
    $runtime.Dispose()
    [IO.File]::Delete($image)
    [IO.File]::Delete($signature)
}
