using Appc.Manifests;

namespace Appc.Stage1;

/// <summary>An isolator that a pod asks for and a flavour cannot enforce.</summary>
/// <param name="Isolator">The isolator.</param>
/// <param name="App">The app that it is of; null for the whole pod.</param>
/// <param name="Reason">Why it cannot be enforced.</param>
/// <param name="Hint">What to do about it; null if nothing can be done.</param>
public sealed record UnenforcedIsolator(Isolator Isolator, AcName? App, string Reason, string? Hint = null)
{
    /// <summary>The isolators of a pod that a flavour does not enforce on this host.</summary>
    internal static IReadOnlyList<UnenforcedIsolator> Find(IStage1 stage1, PodManifest manifest, Stage1Options options, bool mutable) =>
        stage1 is IStage1Isolators knows
            ? knows.FindUnenforced(manifest, options, mutable)
            : All(manifest).Where(i => !stage1.Features.EnforcedIsolators.Contains(i.Isolator.Name.ToString()))
                .Select(i => new UnenforcedIsolator(i.Isolator, i.App, $"the flavour {stage1.Name} does not know it")).ToArray();

    /// <summary>The isolators of a pod and of its apps.</summary>
    internal static IEnumerable<(AcName? App, Isolator Isolator)> All(PodManifest manifest) =>
        manifest.Isolators.Select(i => (App: (AcName?)null, Isolator: i))
            .Concat(manifest.Apps.SelectMany(a => (a.App?.Isolators ?? []).Select(i => (App: (AcName?)a.Name, Isolator: i))));

    /// <summary>Whose it is, for messages.</summary>
    internal string Owner => App is null ? "the pod" : $"the app {App}";
}
