using System.Globalization;
using Appc.Manifests;
using Appc.Manifests.Json;

namespace Appc.Trust;

/// <summary>
/// What must be proven about an image before it is stored, and again before it runs. A policy never changes: the
/// <c>With…</c> methods return another one. Policies that say the same are equal.
/// </summary>
public sealed record TrustPolicy
{
    private const int FewestDigits = 40;
    private const int MostDigits = 128;

    private TrustPolicy()
    {
    }

    /// <summary>A good signature by a key that is trusted for the image's name. The default everywhere.</summary>
    public static TrustPolicy RequireSignature { get; } = new();

    /// <summary>
    /// No signature is asked for. Meant for single calls; each use is logged as a warning and remembered
    /// in the image's provenance.
    /// </summary>
    public static TrustPolicy Insecure { get; } = new() { SignatureRequired = false, Signers = 0 };

    /// <summary>Whether a trusted signature is required of images that are not among <see cref="Images"/>.</summary>
    public bool SignatureRequired { get; private init; } = true;

    /// <summary>How many different keys must have signed, each trusted for the image's name; 0 if none must.</summary>
    /// <value>The default value is 1.</value>
    public int Signers { get; private init; } = 1;

    /// <summary>
    /// Fingerprints of the primary keys whose signatures count, in lower-case hex; empty if those of every key count
    /// that is trusted for the image's name.
    /// </summary>
    public IReadOnlyList<string> Keys { get; private init => field = ValueList<string>.Of(value); } = ValueList<string>.Empty;

    /// <summary>
    /// Images that are allowed whoever signed them, or nobody: their ids are hashes of what they hold, and an id is
    /// always proven.
    /// </summary>
    public IReadOnlyList<ImageId> Images { get; private init => field = ValueList<ImageId>.Of(value); } = ValueList<ImageId>.Empty;

    /// <summary>A policy that asks for the signatures of several of some keys. The keystore must trust each for the image's name too.</summary>
    /// <param name="count">How many of the keys must have signed.</param>
    /// <param name="fingerprints">
    /// Fingerprints of primary keys, in full; case, blanks and a leading 0x do not matter. None: any keys that are
    /// trusted for the image's name, so many of them.
    /// </param>
    /// <exception cref="ArgumentException">A fingerprint is none, or the count does not fit the keys.</exception>
    public static TrustPolicy RequireKeys(int count, params string[] fingerprints)
    {
        ArgumentNullException.ThrowIfNull(fingerprints);
        string[] keys = [.. fingerprints.Select(Normalize).Distinct(StringComparer.Ordinal)];
        return count >= 1 && (keys.Length == 0 || count <= keys.Length)
            ? new TrustPolicy { Signers = count, Keys = keys }
            : throw new ArgumentOutOfRangeException(
                nameof(count), count, string.Create(CultureInfo.InvariantCulture, $"{keys.Length} different keys are named"));
    }

    /// <summary>The default policy, which also allows some images by their ids.</summary>
    /// <param name="ids">Ids, in full (<c>sha512-</c> and 128 hexadecimal digits).</param>
    /// <exception cref="ArgumentException">An id is none, or none is given.</exception>
    public static TrustPolicy AllowImages(params string[] ids) => RequireSignature.WithImages(ids);

    /// <summary>This policy with the signatures of other keys asked for; see <see cref="RequireKeys"/>.</summary>
    /// <inheritdoc cref="RequireKeys"/>
    public TrustPolicy WithKeys(int count, params string[] fingerprints) => RequireKeys(count, fingerprints) with { Images = Images };

    /// <summary>This policy with further images allowed by their ids.</summary>
    /// <inheritdoc cref="AllowImages"/>
    public TrustPolicy WithImages(params string[] ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.Length == 0)
        {
            throw new ArgumentException("no image is named", nameof(ids));
        }

        ImageId[] images = [.. ids.Select(i => ImageId.TryParse(i, out ImageId? id)
            ? id
            : throw new ArgumentException($"'{i}' is not the whole id of an image", nameof(ids)))];
        return this with { Images = [.. Images.Concat(images).Distinct().OrderBy(i => i)] };
    }

    /// <summary>Whether an image is allowed by its id alone.</summary>
    public bool Allows(ImageId id) => Images.Contains(id);

    /// <summary>What it asks for, as a phrase.</summary>
    public override string ToString()
    {
        string signatures = (SignatureRequired, Signers, Keys.Count) switch
        {
            (false, _, _) => "nothing",
            (_, 1, 0) => "a trusted signature",
            (_, _, 0) => string.Create(CultureInfo.InvariantCulture, $"signatures by {Signers} trusted keys"),
            _ => string.Create(CultureInfo.InvariantCulture, $"signatures by {Signers} of the keys {string.Join(", ", Keys)}"),
        };
        return Images.Count == 0 ? signatures : string.Create(CultureInfo.InvariantCulture, $"{signatures}, or one of {Images.Count} ids");
    }

    /// <summary>What a file says of a policy; one that nobody could have made is refused.</summary>
    internal static TrustPolicy Restore(bool signatureRequired, int signers, string[] keys, string[] images)
    {
        TrustPolicy policy = signatureRequired ? RequireKeys(signers, keys) : Insecure;
        return images.Length == 0 ? policy : policy.WithImages(images);
    }

    /// <summary>Short forms of fingerprints can be made to collide, so only whole ones are taken.</summary>
    private static string Normalize(string fingerprint)
    {
        string text = (fingerprint ?? "").Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        text = text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text;
        return text.Length is >= FewestDigits and <= MostDigits && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw new ArgumentException($"'{fingerprint}' is not the whole fingerprint of a key: {FewestDigits} digits or more in hex");
    }
}
