namespace Appc.Stage1.Nspawn;

/// <summary>An event handler of an app, with its program found.</summary>
/// <param name="Program">Absolute path in the app's root.</param>
/// <param name="Arguments">All arguments, the program's name first.</param>
internal sealed record NspawnHandler(string Program, IReadOnlyList<string> Arguments);
