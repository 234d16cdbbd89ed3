# A verifier and a signer that are classes of a script: a signature file here is the SHA-256 of the image in hexadecimal.
class HashCheck : Appc.Trust.ISignatureCheck {
    [string] $Expected
    [Security.Cryptography.IncrementalHash] $Hash = [Security.Cryptography.IncrementalHash]::CreateHash([Security.Cryptography.HashAlgorithmName]::SHA256)
    [Collections.Generic.IReadOnlyList[Appc.Trust.SignatureSigner]] $Candidates =
        [Appc.Trust.SignatureSigner[]] @([Appc.Trust.SignatureSigner]::new('00', '00', 'a script', [DateTimeOffset]::UnixEpoch, 'SHA256', [string[]] @('example.com')))
    [void] Append([ReadOnlyMemory[byte]] $data) { $this.Hash.AppendData($data.ToArray()) }
    [Appc.Trust.SignatureVerdict] Complete() {
        if ([Convert]::ToHexString($this.Hash.GetHashAndReset()) -ne $this.Expected) {
            throw [Appc.Trust.TrustException]::new([Appc.Trust.TrustFailure]::BadSignature, 'the hash is another one')
        }
        return [Appc.Trust.SignatureVerdict]::new($this.Candidates)
    }
    [void] Dispose() { $this.Hash.Dispose() }
}
class HashVerifier : Appc.Trust.ISignatureVerifier {
    [Threading.Tasks.Task[Appc.Trust.ISignatureCheck]] BeginAsync([IO.Stream] $signature, [Appc.Manifests.AcIdentifier] $imageName, [Threading.CancellationToken] $cancellationToken) {
        $check = [HashCheck] @{ Expected = [IO.StreamReader]::new($signature).ReadToEnd() }
        return [Threading.Tasks.Task]::FromResult[Appc.Trust.ISignatureCheck]($check)
    }
}
class WrappedSigner : Appc.Signing.IDetachedSigner {
    [Appc.Signing.IDetachedSigner] $Inner
    WrappedSigner([Appc.Signing.IDetachedSigner] $inner) { $this.Inner = $inner }
    [Threading.Tasks.Task[string]] SignAsync([IO.Stream] $content, [Threading.CancellationToken] $cancellationToken) { return $this.Inner.SignAsync($content, $cancellationToken) }
}
