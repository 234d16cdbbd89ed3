namespace Appc.Fetching;

/// <summary>A place that offers an image.</summary>
/// <param name="Aci">Address of the archive, as the template gives it. Any scheme is possible.</param>
/// <param name="Asc">Address of its signature.</param>
/// <param name="Template">The template that both were made from.</param>
public sealed record DiscoveredImage(string Aci, string Asc, string Template);
