using Appc.Manifests;

namespace Appc.Stage1.InMemory;

/// <summary>One app of an in-memory pod, as its function sees it.</summary>
public sealed class InMemoryApp
{
    internal InMemoryApp(string podUuid, AcName name, App app, TextWriter output, TextWriter error)
    {
        PodUuid = podUuid;
        Name = name;
        App = app;
        StandardOutput = output;
        StandardError = error;
    }

    /// <summary>UUID of the pod.</summary>
    public string PodUuid { get; }

    /// <summary>Name in the pod.</summary>
    public AcName Name { get; }

    /// <summary>What a real flavour would execute.</summary>
    public App App { get; }

    /// <summary>Goes to the pod's log as the app's standard output.</summary>
    public TextWriter StandardOutput { get; }

    /// <summary>Goes to the pod's log as the app's standard error.</summary>
    public TextWriter StandardError { get; }
}
