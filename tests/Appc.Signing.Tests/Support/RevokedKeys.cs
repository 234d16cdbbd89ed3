namespace Appc.Signing.Tests.Support;

/// <summary>A key that signed something and was revoked afterwards: gpg will not sign with a revoked key.</summary>
internal static class RevokedKeys
{
    public static byte[] Signature(byte[] data, out byte[] revokedRing) => Signature(data, out revokedRing, out _);

    public static byte[] Signature(byte[] data, out byte[] revokedRing, out byte[] soundRing)
    {
        using var gpg = new Gpg();
        string fingerprint = gpg.Generate("revoked", "ed25519");
        byte[] signature = gpg.Sign(fingerprint, data);
        soundRing = gpg.Export(fingerprint);
        gpg.Revoke(fingerprint);
        revokedRing = gpg.Export(fingerprint);
        return signature;
    }
}
