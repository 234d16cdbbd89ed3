using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Appc.Signing.Checks;
using Appc.Signing.Packets;
using Appc.Signing.Signing;
using Appc.Signing.Store;
using Appc.Trust;
using Org.BouncyCastle.Bcpg.OpenPgp;
using Org.BouncyCastle.Crypto;

namespace Appc.Signing;

/// <summary>Signs with a secret key from a file, such as <c>gpg --export-secret-keys</c> writes it. Thread safe.</summary>
public sealed class KeyFileSigner : IDetachedSigner
{
    private const int KeyFileBytes = 1 << 20;
    private const int PassphraseBytes = 4096;

    private readonly KeyPacket _key;
    private readonly AsymmetricKeyParameter _secret;
    private readonly TimeProvider _time;

    private KeyFileSigner(KeyPacket key, Certificate certificate, AsymmetricKeyParameter secret, TimeProvider time)
    {
        _key = key;
        _secret = secret;
        _time = time;
        Fingerprint = key.Fingerprint;
        PrimaryFingerprint = certificate.Fingerprint;
    }

    /// <summary>Fingerprint of the key or subkey that signs, in lower-case hex.</summary>
    public string Fingerprint { get; }

    /// <summary>Fingerprint of the primary key, by which trust is given, in lower-case hex.</summary>
    public string PrimaryFingerprint { get; }

    /// <summary>Loads a key: the newest subkey that may sign, else the primary key.</summary>
    /// <param name="path">The secret key, armored or binary.</param>
    /// <param name="passphrase">What protects it; null or empty if nothing does.</param>
    /// <param name="timeProvider">The clock for signatures and for the expiry of keys; null for the system's.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="TrustException">
    /// The file cannot be read, the passphrase is wrong, or no key in it can make signatures that a verifier accepts.
    /// </exception>
    public static async Task<KeyFileSigner> LoadAsync(
        string path, string? passphrase = null, TimeProvider? timeProvider = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string name = $"key file {CleanText.From(path)}";
        try
        {
            SecretKeyFile file;
            byte[]? content;
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096, FileOptions.Asynchronous);
            await using (stream.ConfigureAwait(false))
            {
                content = await CappedReader.ReadAsync(stream, KeyFileBytes, cancellationToken).ConfigureAwait(false);
            }

            file = content is null ? throw new MalformedPacketException("it is too large") : SecretKeyFile.Read(content);
            CryptographicOperations.ZeroMemory(content);
            return Open(file, name, passphrase ?? "", timeProvider ?? TimeProvider.System);
        }
        catch (MalformedPacketException e)
        {
            throw new TrustException(
                TrustFailure.Keystore, $"{name} cannot be used: {e.Message}", "give a secret key as 'gpg --export-secret-keys --armor KEY' writes it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrustException(TrustFailure.Keystore, $"{name} cannot be read: {CleanText.From(e.Message)}", null, e);
        }
    }

    /// <summary>Loads a key whose passphrase is the first line of a stream.</summary>
    /// <inheritdoc cref="LoadAsync(string, string?, TimeProvider?, CancellationToken)"/>
    public static async Task<KeyFileSigner> LoadAsync(
        string path, Stream passphrase, TimeProvider? timeProvider = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        byte[] content = await CappedReader.ReadAsync(passphrase, PassphraseBytes, cancellationToken).ConfigureAwait(false)
            ?? throw new TrustException(TrustFailure.Keystore, $"the passphrase is longer than {PassphraseBytes} bytes");
        int end = content.AsSpan().IndexOfAny((byte)'\n', (byte)'\r');
        string line = Encoding.UTF8.GetString(end < 0 ? content : content.AsSpan(0, end));
        CryptographicOperations.ZeroMemory(content);
        return await LoadAsync(path, line, timeProvider, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<string> SignAsync(Stream content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        using var hash = IncrementalHash.CreateHash(OpenPgpHash.Sha512.Strong!.Value);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 17);
        try
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        byte[] hashedPart = DetachedSignature.HashedPart(_key, _time.GetUtcNow());
        hash.AppendData(hashedPart);
        hash.AppendData([4, 0xFF, 0, 0, (byte)(hashedPart.Length >> 8), (byte)hashedPart.Length]);
        byte[] digest = hash.GetHashAndReset();
        byte[] packet = DetachedSignature.Write(_key, _secret, hashedPart, digest);

        // A signature that went wrong can give the key away, so none leaves unchecked.
        SignaturePacket signature = SignaturePacket.Read(Packet.ReadAll(packet)[0].Body);
        return SignatureMath.Verify(_key, signature, OpenPgpHash.Sha512, digest)
            ? Armor.Encode(Armor.Signature, packet)
            : throw new TrustException(TrustFailure.KeyNotUsable, $"key {Fingerprint} made a signature that does not verify; its file is damaged");
    }

    private static KeyFileSigner Open(SecretKeyFile file, string name, string passphrase, TimeProvider time)
    {
        // Verifiers decide by their own policy; here even a DSA key may sign, for those who allow it.
        Certificate certificate = file.Certificate;
        var checker = new CertificateChecker(certificate, new OpenPgpPolicy { AllowDsa = true }, time.GetUtcNow());
        string? problem = null;
        foreach ((KeyPacket key, KeyState state) in certificate.Subkeys
            .OrderByDescending(s => s.Key.Created)
            .Select(s => (s.Key, checker.Subkey(s)))
            .Append((certificate.Primary, checker.Primary)))
        {
            if (state.Problem is not null)
            {
                problem = state.Problem;
            }
            else if (key.Version != 4)
            {
                problem = "signing is supported with keys of version 4";
            }
            else if (file.SecretOf(key) is { } secret)
            {
                return new KeyFileSigner(key, certificate, Unlock(secret, name, passphrase), time);
            }
            else
            {
                problem = "the file has only the public half of the key that may sign";
            }
        }

        throw new TrustException(TrustFailure.KeyNotUsable, $"{name}: key {certificate.Fingerprint} cannot sign: {problem}");
    }

    private static AsymmetricKeyParameter Unlock(PgpSecretKey secret, string name, string passphrase)
    {
        bool isProtected = secret.KeyEncryptionAlgorithm != Org.BouncyCastle.Bcpg.SymmetricKeyAlgorithmTag.Null;
        if (isProtected && passphrase.Length == 0)
        {
            throw new TrustException(TrustFailure.KeyNotUsable, $"{name} is protected by a passphrase, and none was given");
        }

        try
        {
            return secret.ExtractPrivateKeyUtf8(passphrase.ToCharArray()).Key;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new TrustException(
                TrustFailure.KeyNotUsable,
                isProtected ? $"{name} cannot be unlocked: the passphrase is wrong, or the file is damaged" : $"{name} is damaged or of a kind that cannot sign here",
                null, e);
        }
    }
}
