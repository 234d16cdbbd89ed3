using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Math;

namespace Appc.Signing.Packets;

/// <summary>The numbers of a public key (RFC 9580, 5.5.5), and how strong they are.</summary>
internal sealed class KeyMaterial
{
    private const int MaxRsaBits = 16384;
    private const int MaxDsaBits = 4096;

    private static readonly Dictionary<string, (string Oid, string Name)> Curves = new()
    {
        ["2A8648CE3D030107"] = ("1.2.840.10045.3.1.7", "P-256"),
        ["2B81040022"] = ("1.3.132.0.34", "P-384"),
        ["2B81040023"] = ("1.3.132.0.35", "P-521"),
    };

    private readonly Func<AsymmetricKeyParameter>? _create;

    private KeyMaterial(int algorithm, string name, int bits, Func<AsymmetricKeyParameter>? create)
    {
        Algorithm = algorithm;
        Name = name;
        Bits = bits;
        _create = create;
    }

    public int Algorithm { get; }

    /// <summary>Such as <c>RSA 4096</c>, <c>Ed25519</c> or <c>P-256</c>.</summary>
    public string Name { get; }

    public int Bits { get; }

    /// <summary>Modulus and exponent of an RSA key; null for others.</summary>
    public (BigInteger Modulus, BigInteger Exponent)? Rsa { get; private init; }

    /// <summary>
    /// Why the key must not be relied on, whatever it signs; null if it may. Sizes have an upper bound as well,
    /// so that a hostile key cannot make one verification last for minutes.
    /// </summary>
    public string? Weakness(OpenPgpPolicy policy) => (KeyAlgorithm)Algorithm switch
    {
        _ when _create is null && Rsa is null => $"{Name} keys cannot be used for signatures here",
        KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly when Bits < policy.MinimumRsaBits =>
            $"{Name} is too weak; {policy.MinimumRsaBits} bits are the least",
        KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly when Bits > MaxRsaBits => $"{Name} is beyond {MaxRsaBits} bits",
        KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly when Rsa is { } rsa && !IsUsual(rsa.Exponent) => $"{Name} has an unusual exponent",
        KeyAlgorithm.Dsa when !policy.AllowDsa => "DSA keys are refused unless the host allows them",
        KeyAlgorithm.Dsa when Bits < 2048 => $"{Name} is too weak; 2048 bits are the least",
        KeyAlgorithm.Dsa when Bits > MaxDsaBits => $"{Name} is beyond {MaxDsaBits} bits",
        _ => null,
    };

    /// <summary>With an exponent of 1 everybody can sign; with a huge one nobody has time to verify.</summary>
    private static bool IsUsual(BigInteger exponent) => exponent.BitLength is >= 2 and <= 64 && exponent.TestBit(0);

    /// <summary>The key as the cryptographic library takes it; throws whatever that library throws on bad numbers.</summary>
    public AsymmetricKeyParameter ToParameter() => _create is not null
        ? _create()
        : throw new MalformedPacketException($"{Name} keys cannot be used for signatures here");

    public static KeyMaterial Read(int algorithm, ReadOnlyMemory<byte> material)
    {
        var reader = new ByteReader(material);
        KeyMaterial result = (KeyAlgorithm)algorithm switch
        {
            KeyAlgorithm.Rsa or KeyAlgorithm.RsaSignOnly => ReadRsa(algorithm, ref reader),
            KeyAlgorithm.Dsa => ReadDsa(algorithm, ref reader),
            KeyAlgorithm.ECDsa => ReadECDsa(algorithm, ref reader),
            KeyAlgorithm.EdDsaLegacy => ReadEdDsaLegacy(algorithm, ref reader),
            KeyAlgorithm.Ed25519 => Ed25519(algorithm, reader.Take(32)),
            _ => Other(algorithm, ref reader),
        };
        return reader.AtEnd ? result : throw new MalformedPacketException("a key has bytes after its numbers");
    }

    private static KeyMaterial ReadRsa(int algorithm, ref ByteReader reader)
    {
        BigInteger modulus = Number(reader.ReadMpi());
        BigInteger exponent = Number(reader.ReadMpi());
        return new KeyMaterial(algorithm, $"RSA {modulus.BitLength}", modulus.BitLength, null) { Rsa = (modulus, exponent) };
    }

    private static KeyMaterial ReadDsa(int algorithm, ref ByteReader reader)
    {
        BigInteger p = Number(reader.ReadMpi());
        BigInteger q = Number(reader.ReadMpi());
        BigInteger g = Number(reader.ReadMpi());
        BigInteger y = Number(reader.ReadMpi());
        return new KeyMaterial(algorithm, $"DSA {p.BitLength}", p.BitLength, () => q.BitLength is >= 224 and <= 256
            ? new DsaPublicKeyParameters(y, new DsaParameters(p, q, g))
            : throw new MalformedPacketException("the group of a DSA key has an unusual size"));
    }

    private static KeyMaterial ReadECDsa(int algorithm, ref ByteReader reader)
    {
        string oid = Convert.ToHexString(reader.Take(reader.ReadByte()).Span);
        byte[] point = reader.ReadMpi().ToArray();
        return Curves.TryGetValue(oid, out (string Oid, string Name) curve)
            ? new KeyMaterial(algorithm, curve.Name, 256, () =>
            {
                var id = new DerObjectIdentifier(curve.Oid);
                ECNamedDomainParameters domain = ECNamedDomainParameters.LookupOid(id);
                return new ECPublicKeyParameters("ECDSA", domain.Curve.DecodePoint(point), domain);
            })
            : new KeyMaterial(algorithm, "ECDSA (other curve)", 0, null);
    }

    private static KeyMaterial ReadEdDsaLegacy(int algorithm, ref ByteReader reader)
    {
        string oid = Convert.ToHexString(reader.Take(reader.ReadByte()).Span);
        ReadOnlyMemory<byte> point = reader.ReadMpi();
        return oid == "2B06010401DA470F01" && point.Length == 33 && point.Span[0] == 0x40
            ? Ed25519(algorithm, point[1..])
            : new KeyMaterial(algorithm, "EdDSA (other curve)", 0, null);
    }

    private static KeyMaterial Ed25519(int algorithm, ReadOnlyMemory<byte> point) =>
        new(algorithm, "Ed25519", 256, () => new Ed25519PublicKeyParameters(point.Span));

    private static KeyMaterial Other(int algorithm, ref ByteReader reader)
    {
        reader.TakeRest();
        string name = algorithm switch
        {
            2 => "RSA (encryption only)",
            16 => "ElGamal",
            18 => "ECDH",
            25 => "X25519",
            26 => "X448",
            28 => "Ed448",
            _ => $"algorithm {algorithm}",
        };
        return new KeyMaterial(algorithm, name, 0, null);
    }

    private static BigInteger Number(ReadOnlyMemory<byte> bytes) => new(1, bytes.Span);
}
