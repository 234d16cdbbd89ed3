namespace Appc.Stage1;

/// <summary>What an app has changed of its image: a directory as overlayfs has it for an upper layer.</summary>
/// <param name="Directory">The directory; if it is not there, nothing was changed.</param>
/// <param name="FirstId">The host's id that stands for user and group 0 of the app: 0 if the pod had no user namespace.</param>
/// <param name="Foreign">Files that the runtime put there and not the app, as paths in the app's root: <c>/etc/hosts</c>.</param>
public sealed record Stage1Layer(string Directory, uint FirstId, IReadOnlyList<string> Foreign);
