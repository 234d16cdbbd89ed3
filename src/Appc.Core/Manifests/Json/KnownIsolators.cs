namespace Appc.Manifests.Json;

/// <summary>What is known of isolators by their names: how often they may occur, and beside which others.</summary>
internal static class KnownIsolators
{
    /// <summary>Whether a list can have only one of this name.</summary>
    public static bool IsSingle(string name) => name is
        IsolatorNames.SeccompRetainSet or IsolatorNames.SeccompRemoveSet or IsolatorNames.CpuShares or IsolatorNames.OomScoreAdj
        or IsolatorNames.SelinuxContext or IsolatorNames.AppArmorProfile or IsolatorNames.Sysctl;

    /// <summary>The isolator that cannot stand in one list with this one; null if there is none.</summary>
    public static string? ConflictOf(string name) => name switch
    {
        IsolatorNames.SeccompRetainSet => IsolatorNames.SeccompRemoveSet,
        IsolatorNames.SeccompRemoveSet => IsolatorNames.SeccompRetainSet,
        IsolatorNames.CapabilitiesRetainSet => IsolatorNames.CapabilitiesRemoveSet,
        IsolatorNames.CapabilitiesRemoveSet => IsolatorNames.CapabilitiesRetainSet,
        _ => null,
    };
}
