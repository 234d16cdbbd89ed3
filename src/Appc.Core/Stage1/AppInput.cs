namespace Appc.Stage1;

/// <summary>What an app has as its standard input.</summary>
public enum AppInput
{
    /// <summary>Nothing: it reads the end at once.</summary>
    None,

    /// <summary>
    /// A pipe into which whoever attaches writes. The pod keeps it open, so that the app does not read its end while nobody is
    /// attached; the end is sent on purpose, with <see cref="Pods.PodAttachment.CloseInputAsync"/>.
    /// </summary>
    Stream,

    /// <summary>
    /// A terminal, which is its standard output and error too, and the controlling terminal of its session. One app of a
    /// pod may have one.
    /// </summary>
    Terminal,
}
