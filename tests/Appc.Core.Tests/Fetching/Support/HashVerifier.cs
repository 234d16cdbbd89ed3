using System.Security.Cryptography;
using System.Text;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Core.Tests.Fetching;

/// <summary>
/// A verifier whose signatures are the SHA-256 of the file in hex, after the scope that the "key" is trusted for: enough to
/// see that every byte went through, once and in order.
/// </summary>
internal sealed class HashVerifier : ISignatureVerifier
{
    private int _begun;

    public int Begun => _begun;

    public static byte[] Sign(byte[] archive, string scope = "") => Encoding.UTF8.GetBytes($"{scope} {Convert.ToHexStringLower(SHA256.HashData(archive))}");

    public async Task<ISignatureCheck> BeginAsync(Stream signature, AcIdentifier? imageName, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _begun);
        string[] words = (await new StreamReader(signature).ReadToEndAsync(cancellationToken)).Split(' ');
        if (words.Length != 2)
        {
            throw new TrustException(TrustFailure.MalformedSignature, "not a signature");
        }

        return imageName is not null && !NameScope.Covers(words[0], imageName)
            ? throw new TrustException(TrustFailure.WrongPrefix, $"the key is for '{words[0]}', not for {imageName}")
            : new Check(words[0], words[1]);
    }

    private sealed class Check(string scope, string expected) : ISignatureCheck
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public IReadOnlyList<SignatureSigner> Candidates { get; } = [new SignatureSigner("aa", "aa", "Tester", DateTimeOffset.UnixEpoch, "SHA256", [scope])];

        public void Append(ReadOnlyMemory<byte> data) => _hash.AppendData(data.Span);

        public SignatureVerdict Complete() => Convert.ToHexStringLower(_hash.GetHashAndReset()) == expected
            ? new SignatureVerdict(Candidates)
            : throw new TrustException(TrustFailure.BadSignature, "the signature does not fit");

        public void Dispose() => _hash.Dispose();
    }
}
