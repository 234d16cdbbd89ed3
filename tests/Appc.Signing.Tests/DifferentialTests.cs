using System.Text;
using Appc.Signing.Packets;
using Appc.Signing.Tests.Support;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>
/// Our verdict beside that of gpg, for every algorithm and every fault that gpg can make. We may be stricter than
/// gpg where the table says why, and never more lenient.
/// </summary>
public sealed class DifferentialTests(GpgKeys keys)
{
    private static readonly byte[] Image = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("an image, for what the signature knows\n", 40)));

    private readonly Gpg _gpg = keys.Gpg;

    /// <summary>Case, our verdict (null: good), gpg's, and why we differ.</summary>
    public static TheoryData<string, TrustFailure?, bool, string> Table()
    {
        var table = new TheoryData<string, TrustFailure?, bool, string>();
        foreach (string algorithm in GpgKeys.Algorithms)
        {
            table.Add($"{algorithm} sound", null, true, "");
            table.Add($"{algorithm} armored", null, true, "");
            table.Add($"{algorithm} changed", TrustFailure.BadSignature, false, "");
        }

        // gpg does not make ECDSA signatures over a digest shorter than the curve.
        foreach (string sound in (string[])["rsa2048 sha256", "rsa4096 sha384", "ed25519 sha256", "ed25519 sha384", "nistp256 sha384", "nistp384 sha384"])
        {
            table.Add(sound, null, true, "");
        }

        table.Add("dsa2048 sound", TrustFailure.KeyNotUsable, true, "DSA needs the host's word");
        table.Add("rsa1024 sound", TrustFailure.KeyNotUsable, true, "RSA below 2048 bits is within reach of factoring");
        table.Add("rsa2048 sha1", TrustFailure.SignatureNotAcceptable, true, "SHA-1 has collisions");
        table.Add("rsa2048 md5", TrustFailure.SignatureNotAcceptable, false, "");
        table.Add("rsa2048 sha224", TrustFailure.SignatureNotAcceptable, true, "below 128 bits of strength");
        table.Add("rsa2048 ripemd160", TrustFailure.SignatureNotAcceptable, true, "below 128 bits of strength");
        table.Add("ed25519 text", TrustFailure.SignatureNotAcceptable, true, "text signatures do not cover every byte");
        table.Add("ed25519 expired signature", TrustFailure.SignatureNotAcceptable, false, "");
        table.Add("ed25519 future signature", TrustFailure.SignatureNotAcceptable, true, "a clock is wrong");
        table.Add("ed25519 critical notation", TrustFailure.SignatureNotAcceptable, false, "");
        table.Add("ed25519 notation", null, true, "");
        table.Add("ed25519 and other", null, true, "");
        table.Add("other and ed25519", null, true, "");
        table.Add("other only", TrustFailure.UnknownKey, false, "");
        table.Add("expired key", TrustFailure.KeyNotUsable, false, "");
        table.Add("revoked key", TrustFailure.KeyNotUsable, false, "");
        table.Add("subkey", null, true, "");
        table.Add("subkey2", null, true, "");
        table.Add("expired subkey", TrustFailure.KeyNotUsable, false, "");
        table.Add("subkey spliced", TrustFailure.KeyNotUsable, false, "");
        table.Add("empty", TrustFailure.MalformedSignature, false, "");
        table.Add("cut", TrustFailure.MalformedSignature, false, "");
        table.Add("clear-signed", TrustFailure.MalformedSignature, false, "");
        return table;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Verdict_is_gpgs_or_stricter(string name, TrustFailure? ours, bool gpgs, string reason)
    {
        (byte[] ring, byte[] signature, byte[] image) = Make(name);
        using var directory = new TempDirectory();
        Keystore keystore = Verification.NewKeystore(directory.Path);
        await keystore.TrustAsync(ring, "example.com");

        TrustException? refusal = await new OpenPgpVerifier(keystore).RefusalAsync(image, signature, "example.com/app");
        bool judge = Gpg.Verifies(ring, signature, image);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{name,-26} | {(refusal is null ? "good" : refusal.Failure.ToString()),-22} | gpg: {(judge ? "good" : "not good"),-8} | {reason} | {refusal?.Message}");

        Assert.Equal(ours, refusal?.Failure);
        Assert.Equal(gpgs, judge);
        Assert.True(refusal is not null || judge, "we are more lenient than gpg");
        Assert.Equal(refusal is not null && judge, reason.Length > 0);
    }

    private (byte[] Ring, byte[] Signature, byte[] Image) Make(string name)
    {
        byte[] ed25519 = _gpg.Export("ed25519");
        string[] words = name.Split(' ');
        string key = words[0];
        switch (name)
        {
            case "ed25519 text":
                return (ed25519, _gpg.Sign(key, Image, null, "--textmode"), Image);
            case "ed25519 expired signature":
                return (ed25519, _gpg.Sign(key, Image, "20210101T000000", "--default-sig-expire", "1y"), Image);
            case "ed25519 future signature":
                return (ed25519, _gpg.Sign(key, Image, "20900101T000000"), Image);
            case "ed25519 critical notation":
                return (ed25519, _gpg.Sign(key, Image, null, "--sig-notation", "!must@example.com=understand"), Image);
            case "ed25519 notation":
                return (ed25519, _gpg.Sign(key, Image, null, "--sig-notation", "may@example.com=understand"), Image);
            case "ed25519 and other":
                return (ed25519, [.. _gpg.Sign(key, Image), .. _gpg.Sign("other", Image)], Image);
            case "other and ed25519":
                return ([.. _gpg.Export("other"), .. ed25519], [.. _gpg.Sign("other", Image), .. _gpg.Sign("ed25519", Image)], Image);
            case "other only":
                return (ed25519, _gpg.Sign("other", Image), Image);
            case "expired key":
                return (_gpg.Export("expired"), _gpg.Sign("expired", Image, "20200601T000000"), Image);
            case "revoked key":
                byte[] revoked = RevokedKeys.Signature(Image, out byte[] ring);
                return (ring, revoked, Image);
            case "subkey" or "subkey2":
                return (_gpg.Export(name), _gpg.Sign(_gpg.Fingerprints(name)[1] + "!", Image), Image);
            case "expired subkey":
                return (_gpg.Export("oldsubkey"), _gpg.Sign(_gpg.Fingerprints("oldsubkey")[1] + "!", Image, "20200601T000000"), Image);
            case "subkey spliced":
                IEnumerable<byte> stranger = Packet.ReadAll(_gpg.Export("subkey2")).SkipWhile(p => p.Tag != PacketTag.PublicSubkey).SelectMany(p => p.Whole.ToArray());
                return ([.. ed25519, .. stranger], _gpg.Sign(_gpg.Fingerprints("subkey2")[1] + "!", Image), Image);
            case "empty":
                return (ed25519, [], Image);
            case "cut":
                return (ed25519, _gpg.Sign("ed25519", Image)[..^5], Image);
            case "clear-signed":
                using (var file = new TempDirectory())
                {
                    return (ed25519, _gpg.Run("--local-user", "ed25519", "--output", "-", "--clear-sign", file.Write("d", Image)), Image);
                }
        }

        byte[] exported = _gpg.Export(key);
        return words[1] switch
        {
            "sound" => (exported, _gpg.Sign(key, Image), Image),
            "armored" => (exported, _gpg.Sign(key, Image, null, "--armor"), Image),
            "changed" => (exported, _gpg.Sign(key, Image), [.. Image[..^1], (byte)(Image[^1] ^ 1)]),
            string hash => (exported, _gpg.Sign(key, Image, null, "--digest-algo", hash, "--allow-weak-digest-algos"), Image),
        };
    }
}
