namespace Appc.Fetching;

/// <summary>A discovery tag that a page holds.</summary>
/// <param name="PublicKeys">Whether it gives public keys (<c>ac-discovery-pubkeys</c>) rather than images (<c>ac-discovery</c>).</param>
/// <param name="Prefix">The names that it is for; empty if it could not be read.</param>
/// <param name="Template">The template, or the address of the keys; empty if it could not be read.</param>
/// <param name="Skipped">Why the tag does not serve; null if it does.</param>
public sealed record DiscoveryTag(bool PublicKeys, string Prefix, string Template, string? Skipped);
