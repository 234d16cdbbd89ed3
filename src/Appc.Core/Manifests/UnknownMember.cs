namespace Appc.Manifests;

/// <summary>A member of a JSON object that the specification does not define. It is kept when the object is written again.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ValueJson">Its value as JSON text without white space between the tokens.</param>
public sealed record UnknownMember(string Name, string ValueJson);
