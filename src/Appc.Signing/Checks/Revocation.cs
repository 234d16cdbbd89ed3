using Appc.Signing.Packets;

namespace Appc.Signing.Checks;

/// <summary>A revocation that the key itself made, or that another key claims which it named for that.</summary>
/// <param name="Created">When; null if it does not say.</param>
/// <param name="Code">The reason's code (RFC 9580, 5.2.3.31); null if it states none.</param>
/// <param name="Text">The reason's text, cleaned; empty if there is none.</param>
internal sealed record Revocation(DateTimeOffset? Created, int? Code, string Text)
{
    /// <summary>Whether it is by another key, which is not looked for here, so that only the claim is known.</summary>
    public bool IsClaimed { get; init; }

    /// <summary>
    /// Whether the key may have been in strange hands: then even signatures that claim to be older mean nothing.
    /// Both kinds refuse a signature here, since its date is whatever its maker wrote; the kind is for people.
    /// </summary>
    public bool IsHard => Code is not (1 or 3);

    public static Revocation From(SignaturePacket signature) => new(
        signature.Created,
        signature.RevocationReason?.Code,
        signature.RevocationReason is { } reason ? CleanText.From(reason.Text.Span) : "");

    public string Describe()
    {
        string reason = Code switch
        {
            1 => "superseded",
            2 => "compromised",
            3 => "retired",
            _ => "no reason given",
        };
        string text = Text.Length > 0 ? $", \"{Text}\"" : "";
        string when = Created is { } created ? $" on {created:yyyy-MM-dd}" : "";
        return IsClaimed
            ? $"revoked{when} in the name of a key that its owner lets revoke it ({reason}{text}; not verified)"
            : $"revoked by its owner{when} ({reason}{text})";
    }
}
