namespace Appc.Pods;

/// <summary>Which ends of an app it is started again after.</summary>
public enum RestartMode
{
    /// <summary>None.</summary>
    Never,

    /// <summary>Those with another exit code than 0, by a signal, or when a time limit was over.</summary>
    OnFailure,

    /// <summary>All.</summary>
    Always,
}
