using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1;

/// <summary>The restart policy of an app: an annotation of the app in the pod's manifest, so that a prepared pod keeps it.</summary>
internal static class RestartAnnotations
{
    internal static bool IsOne(Annotation annotation) => annotation.Name.ToString() == RestartPolicy.AnnotationName;

    /// <summary>The annotation of an app in a pod, if it has a policy.</summary>
    internal static IEnumerable<Annotation> Decide(AppSpec spec, AcName name, bool lazy, IStage1 stage1, List<string> faults)
    {
        string? text = spec.Annotations.FirstOrDefault(IsOne)?.Value;
        RestartPolicy? policy = spec.Restart;
        if (policy is null && text is not null && !RestartPolicy.TryParse(text, out policy))
        {
            faults.Add($"the app {name} has a restart policy that cannot be read: {PodDirectories.Shown(text)}");
        }

        if (policy is null || policy.Mode == RestartMode.Never)
        {
            return [];
        }

        if (policy.FindFault() is { } fault)
        {
            faults.Add($"the restart policy of the app {name} {fault}");
        }

        if (!stage1.Features.Restarts)
        {
            faults.Add($"the stage1 flavour {stage1.Name} does not start the app {name} again when it has ended");
        }

        if (lazy)
        {
            faults.Add($"the app {name} is started by a connection, and so has no restart policy");
        }

        return [new Annotation(RestartPolicy.AnnotationName, policy.ToString())];
    }

    /// <summary>The policy of an app that is to be started again; null if it is not.</summary>
    internal static RestartPolicy? Find(RuntimeApp app) => app.Annotations.FirstOrDefault(IsOne) is { } found ? Read(found.Value) : null;

    /// <summary>The same, of an annotation's own text.</summary>
    internal static RestartPolicy? Find(string? annotation, string? value) => annotation == RestartPolicy.AnnotationName ? Read(value) : null;

    private static RestartPolicy? Read(string? value) =>
        RestartPolicy.TryParse(value, out RestartPolicy? policy) && policy.Mode != RestartMode.Never ? policy : null;
}
