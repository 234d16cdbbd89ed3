using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Oiw;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.TeleTrust;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;

namespace Appc.Signing.Checks;

/// <summary>A hash algorithm of OpenPGP (RFC 9580, 9.5).</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name in messages.</param>
/// <param name="Oid">How RSA signatures name it.</param>
/// <param name="CreateDigest">Makes a digest for small inputs.</param>
/// <param name="SaltBytes">Size of the salt in signatures of version 6.</param>
/// <param name="Strong">
/// The algorithm for whole images. Null where it is too weak to give trust: then it only serves to honour the
/// revocations of old keys.
/// </param>
internal sealed record OpenPgpHash(
    int Id, string Name, DerObjectIdentifier Oid, Func<IDigest> CreateDigest, int SaltBytes = 0, HashAlgorithmName? Strong = null)
{
    private static readonly OpenPgpHash[] All =
    [
        new(1, "MD5", PkcsObjectIdentifiers.MD5, () => new MD5Digest()),
        new(2, "SHA1", OiwObjectIdentifiers.IdSha1, () => new Sha1Digest()),
        new(3, "RIPEMD160", TeleTrusTObjectIdentifiers.RipeMD160, () => new RipeMD160Digest()),
        new(11, "SHA224", NistObjectIdentifiers.IdSha224, () => new Sha224Digest()),
        new(8, "SHA256", NistObjectIdentifiers.IdSha256, () => new Sha256Digest(), 16, HashAlgorithmName.SHA256),
        new(9, "SHA384", NistObjectIdentifiers.IdSha384, () => new Sha384Digest(), 24, HashAlgorithmName.SHA384),
        new(10, "SHA512", NistObjectIdentifiers.IdSha512, () => new Sha512Digest(), 32, HashAlgorithmName.SHA512),
    ];

    /// <summary>What signatures are made with here.</summary>
    public static OpenPgpHash Sha512 => All[^1];

    /// <summary>The algorithm, weak ones included; null if it is not supported in any role.</summary>
    public static OpenPgpHash? Find(int id) => Array.Find(All, a => a.Id == id);

    /// <summary>The algorithm, if a signature with it may give trust; null otherwise.</summary>
    public static OpenPgpHash? FindStrong(int id) => Find(id) is { Strong: not null } found ? found : null;

    /// <summary>How an algorithm is called in messages.</summary>
    public static string Describe(int id) => Find(id)?.Name ?? $"hash algorithm {id}";
}
