using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Pods;

/// <summary>What becomes of an isolator that a pod asks for (ace.md, "Isolators").</summary>
/// <param name="App">The app that it is of; null for the whole pod.</param>
/// <param name="Name">Its name.</param>
/// <param name="Enforced">Whether it is enforced, as was found when the pod was prepared or the app was added.</param>
/// <param name="Reason">Why it is not; null if it is.</param>
public sealed record PodIsolator(AcName? App, AcIdentifier Name, bool Enforced, string? Reason)
{
    /// <summary>What of them a pod's record must hold: those that are not enforced; null if all are.</summary>
    internal static IReadOnlyList<PodRecordIsolator>? Record(PodManifest manifest, IReadOnlyList<UnenforcedIsolator> unenforced) => unenforced.Count == 0 ? null :
    [
        .. from found in Number(manifest)
           let missed = unenforced.FirstOrDefault(u => ReferenceEquals(u.Isolator, found.Isolator))
           where missed is not null
           select new PodRecordIsolator(found.App?.ToString(), found.Position, missed.Reason),
    ];

    /// <summary>All isolators of a pod: those of the pod itself first, then those of its apps.</summary>
    internal static IReadOnlyList<PodIsolator> Read(PodManifest manifest, PodRecord? record) =>
        (from found in Number(manifest)
         let missed = record?.Unenforced?.FirstOrDefault(u => u.App == found.App?.ToString() && u.Position == found.Position)
         select new PodIsolator(found.App, found.Isolator.Name, missed is null, missed?.Reason)).ToArray();

    private static IEnumerable<(AcName? App, int Position, Isolator Isolator)> Number(PodManifest manifest) =>
        UnenforcedIsolator.All(manifest).GroupBy(i => i.App).SelectMany(g => g.Select((i, position) => (i.App, position, i.Isolator)));
}
