using System.Security.Cryptography;
using System.Text;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Core.Tests.Images;

/// <summary>A verifier whose "signature" is the SHA-256 of the file and a scope, so that the store's own rules can be tested.</summary>
internal sealed class StubVerifier : ISignatureVerifier
{
    public int Checks { get; private set; }

    /// <summary>What the store had on disk when the check was completed: nothing may be decompressed before.</summary>
    public Action? OnComplete { get; set; }

    public static void Sign(string file, string scope) =>
        File.WriteAllText(file + ".asc", Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))) + " " + scope);

    public async Task<ISignatureCheck> BeginAsync(Stream signature, AcIdentifier? imageName, CancellationToken cancellationToken = default)
    {
        using StreamReader reader = new(signature, Encoding.UTF8);
        string[] parts = (await reader.ReadToEndAsync(cancellationToken)).Split(' ');
        Checks++;
        return new Check(this, parts[0], parts[1]);
    }

    private sealed class Check(StubVerifier owner, string expected, string scope) : ISignatureCheck
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public IReadOnlyList<SignatureSigner> Candidates { get; } = [new SignatureSigner("ab12", "ab12", "Tester", DateTimeOffset.UnixEpoch, "none", [scope])];

        public void Append(ReadOnlyMemory<byte> data) => _hash.AppendData(data.Span);

        public SignatureVerdict Complete()
        {
            owner.OnComplete?.Invoke();
            return Convert.ToHexString(_hash.GetHashAndReset()) == expected
                ? new SignatureVerdict(Candidates)
                : throw new TrustException(TrustFailure.BadSignature, "the signature does not fit");
        }

        public void Dispose() => _hash.Dispose();
    }
}
