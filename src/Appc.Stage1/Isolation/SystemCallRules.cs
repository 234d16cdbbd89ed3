namespace Appc.Stage1.Isolation;

/// <summary>A filter of system calls with every set resolved.</summary>
/// <param name="Allowed">The allowed calls.</param>
/// <param name="OtherError">The error that all others give; null means that the process is killed.</param>
/// <param name="Known">The calls that give the other error; what is neither among them nor elsewhere here does not exist. Null if all others give it.</param>
/// <param name="Denied">Calls that give an error of their own.</param>
/// <param name="DeniedError">That error; null means that the process is killed.</param>
/// <param name="DenyNamespaces">Whether new namespaces are denied too.</param>
/// <param name="RestrictFamilies">Whether sockets of other families than the usual ones are denied too.</param>
internal sealed record SystemCallRules(
    IReadOnlySet<string> Allowed, string? OtherError, IReadOnlySet<string>? Known, IReadOnlySet<string> Denied, string? DeniedError, bool DenyNamespaces, bool RestrictFamilies);
