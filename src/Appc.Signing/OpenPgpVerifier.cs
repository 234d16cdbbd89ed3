using Appc.Manifests;
using Appc.Signing.Checks;
using Appc.Signing.Packets;
using Appc.Signing.Store;
using Appc.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Signing;

/// <summary>
/// Verifies detached OpenPGP signatures (RFC 4880 and RFC 9580) against a <see cref="Keystore"/>. A signature
/// that cannot be accepted whatever the image holds is refused before the image is downloaded.
/// </summary>
/// <remarks>Thread safe; reads the keystore anew for each image.</remarks>
public sealed class OpenPgpVerifier : ISignatureVerifier
{
    private readonly Keystore _keystore;
    private readonly OpenPgpPolicy _policy;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>Creates a verifier.</summary>
    /// <param name="keystore">The trusted keys.</param>
    /// <param name="policy">What is asked of keys and signatures; null for the defaults.</param>
    /// <param name="loggerFactory">Where accepted and refused signatures are logged.</param>
    /// <param name="timeProvider">The clock by which keys and signatures expire; null for the system's.</param>
    public OpenPgpVerifier(Keystore keystore, OpenPgpPolicy? policy = null, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(keystore);
        _keystore = keystore;
        _policy = policy ?? new OpenPgpPolicy();
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Appc.Signing.Verifier");
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public async Task<ISignatureCheck> BeginAsync(Stream signature, AcIdentifier? imageName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(signature);
        byte[]? file = await CappedReader.ReadAsync(signature, _policy.SignatureBytes, cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyList<SignaturePacket?> signatures = file is null
                ? throw Malformed(imageName, $"it is larger than {_policy.SignatureBytes} bytes")
                : ReadSignatures(file, imageName);
            KeystoreSnapshot snapshot = _keystore.Load(cancellationToken);
            var plan = new SignaturePlan(snapshot, _keystore.Directories, _policy, imageName, _time.GetUtcNow());
            foreach (SignaturePacket? packet in signatures)
            {
                plan.Add(packet);
            }

            return new OpenPgpCheck(plan.Finish(), _logger);
        }
        catch (TrustException e)
        {
            _logger.SignatureRefused(e.Failure, e.Message);
            throw;
        }
    }

    /// <summary>The signatures of a file; null stands for one that cannot be read beside others that may count.</summary>
    private List<SignaturePacket?> ReadSignatures(byte[] file, AcIdentifier? imageName)
    {
        try
        {
            var signatures = new List<SignaturePacket?>();
            foreach (Packet packet in Packet.ReadAll(Armor.Open(file, Armor.Signature)))
            {
                switch (packet.Tag)
                {
                    case PacketTag.Signature:
                        signatures.Add(SignaturePacket.TryRead(packet.Body));
                        break;
                    case PacketTag.Marker or PacketTag.Padding or PacketTag.Trust:
                        break;
                    case PacketTag.PublicKey or PacketTag.SecretKey:
                        throw new MalformedPacketException("it is a key, not a signature");
                    default:
                        throw new MalformedPacketException("it is a message, not a detached signature");
                }
            }

            if (signatures.Count == 0)
            {
                throw new MalformedPacketException("it holds no signature");
            }

            return signatures.Count <= _policy.SignatureCount
                ? signatures
                : throw new MalformedPacketException($"it holds more than {_policy.SignatureCount} signatures");
        }
        catch (MalformedPacketException e)
        {
            throw Malformed(imageName, e.Message);
        }
    }

    private static TrustException Malformed(AcIdentifier? imageName, string reason) => new(
        TrustFailure.MalformedSignature,
        $"the signature of {SignaturePlan.Describe(imageName)} cannot be read: {reason}",
        "sign the image with 'appc sign' or 'gpg --armor --detach-sign'");
}
