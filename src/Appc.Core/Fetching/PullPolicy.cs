namespace Appc.Fetching;

/// <summary>When the network is asked.</summary>
public enum PullPolicy
{
    /// <summary>Only for what the store lacks.</summary>
    New,

    /// <summary>Always; the store's copy serves where the server says that it is current.</summary>
    Update,

    /// <summary>Never.</summary>
    Never,
}
