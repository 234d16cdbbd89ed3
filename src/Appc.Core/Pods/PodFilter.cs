using Appc.Manifests;

namespace Appc.Pods;

/// <summary>Which pods are meant: those for which everything that is set here holds.</summary>
public sealed class PodFilter
{
    /// <summary>The states, of which a pod must be in one; empty for any.</summary>
    public IList<PodState> States { get; } = [];

    /// <summary>The pod's name; null for any.</summary>
    public string? Name { get; set; }

    /// <summary>Labels that the pod has; a value of null stands for any value.</summary>
    public IDictionary<string, string?> Labels { get; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>Name of one of its apps; null for any.</summary>
    public string? App { get; set; }

    /// <summary>Image of one of its apps; null for any.</summary>
    public ImageId? Image { get; set; }

    /// <summary>Name of the stage1 flavour; null for any.</summary>
    public string? Stage1 { get; set; }

    /// <summary>Whether a pod is meant.</summary>
    public bool Matches(PodStatus pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return (States.Count == 0 || States.Contains(pod.State))
            && (Name is null || Name == pod.Name)
            && Labels.All(l => pod.Labels.TryGetValue(l.Key, out string? value) && (l.Value is null || l.Value == value))
            && (App is null || pod.Apps.Any(a => a.Name.ToString() == App))
            && (Image is null || pod.Apps.Any(a => a.ImageId == Image))
            && (Stage1 is null || Stage1 == pod.Stage1);
    }
}
