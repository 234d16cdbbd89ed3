namespace Appc.Pods;

/// <summary>Why a call about a pod failed.</summary>
public enum PodFailure
{
    /// <summary>What the caller asks for does not make a pod: unknown volume, name twice, nothing to run.</summary>
    BadSpec,

    /// <summary>No such pod.</summary>
    NotFound,

    /// <summary>The UUID prefix fits more than one pod.</summary>
    Ambiguous,

    /// <summary>The pod is in a state in which this cannot be done.</summary>
    WrongState,

    /// <summary>The pods directory failed: no space, no permission, damaged files.</summary>
    Storage,

    /// <summary>This host lacks something that the stage1 flavour needs, such as root or systemd-nspawn.</summary>
    HostUnsuitable,

    /// <summary>The pod is not ready: not yet, or it ended before.</summary>
    NotReady,

    /// <summary>Another pod has the name.</summary>
    NameTaken,
}

/// <summary>A pod cannot be made, found or handled.</summary>
public class PodException : AppcException
{
    /// <summary>Creates the exception.</summary>
    public PodException(PodFailure failure, string message, string? hint = null, Exception? innerException = null)
        : base(message, hint, innerException) => Failure = failure;

    /// <summary>Creates the exception from all that was found; the class of the fault is that of the first finding.</summary>
    public PodException(string message, IReadOnlyList<PodFinding> findings)
        : base(message + ": " + string.Join("; ", findings.Select(f => f.Message)), findings.FirstOrDefault(f => f.Hint is not null)?.Hint, null)
    {
        Failure = findings.Count > 0 ? findings[0].Failure : PodFailure.BadSpec;
        Findings = findings;
    }

    /// <summary>The class of the fault.</summary>
    public PodFailure Failure { get; }

    /// <summary>All that was found wrong with a pod that was asked for, before anything was written; none for other failures.</summary>
    public IReadOnlyList<PodFinding> Findings { get; } = [];
}
