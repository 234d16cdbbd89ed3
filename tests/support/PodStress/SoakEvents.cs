using System.Collections.Concurrent;
using Appc.Pods;

namespace Appc.PodStress;

/// <summary>Follows the events of all pods: of each all, in order, and each once.</summary>
internal sealed class SoakEvents(PodEventSubscription subscription, Action<string> fail)
{
    private readonly ConcurrentDictionary<string, ToldEvents> _pods = new(StringComparer.Ordinal);

    /// <summary>How many were told.</summary>
    public long Count { get; private set; }

    /// <summary>Of how many pods only the beginning and the removal were told.</summary>
    public long CutShort { get; private set; }

    /// <summary>Pods of which something was told, and whose removal nobody has taken note of.</summary>
    public int Open => _pods.Count;

    public ToldEvents Of(string uuid) => _pods.GetOrAdd(uuid, _ => new ToldEvents());

    /// <summary>Takes note that a pod's removal was told: nothing may follow.</summary>
    public void Forget(string uuid) => _pods.TryRemove(uuid, out _);

    public async Task ReadAsync()
    {
        await foreach (PodEvent next in subscription.ReadAllAsync())
        {
            Count++;
            ToldEvents told = Of(next.Uuid);
            if (!told.Take(next))
            {
                fail($"{next.Kind} of the pod {next.Uuid} was told out of order");
            }

            CutShort += next.Kind == PodEventKind.Removed && told.CutShort ? 1 : 0;
        }
    }
}
