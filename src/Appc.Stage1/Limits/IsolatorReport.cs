using Appc.Manifests;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Limits;

/// <summary>For which isolators of a pod a flavour or this host does not suffice.</summary>
internal static class IsolatorReport
{
    /// <summary>Isolators that are about resources, for apps as well as for whole pods.</summary>
    internal static readonly IReadOnlyList<string> Resources =
        [IsolatorNames.Memory, IsolatorNames.Cpu, IsolatorNames.CpuShares, IsolatorNames.BlockBandwidth, IsolatorNames.BlockIops, IsolatorNames.NetworkBandwidth];

    /// <summary>Isolators that security modules of the host enforce, for apps as well as for whole pods.</summary>
    internal static readonly IReadOnlyList<string> Labels = [IsolatorNames.SelinuxContext, IsolatorNames.AppArmorProfile];

    /// <summary>Looks at every isolator.</summary>
    /// <param name="stage1">The flavour.</param>
    /// <param name="manifest">The pod.</param>
    /// <param name="options">Its options, as they are in effect.</param>
    /// <param name="mutable">Whether other apps may come.</param>
    /// <param name="modules">The host's security modules.</param>
    /// <param name="findHost">Finds out where the host can limit what.</param>
    internal static IReadOnlyList<UnenforcedIsolator> Find(IStage1 stage1, PodManifest manifest, Stage1Options options, bool mutable, SecurityModules modules, Func<LimitHost> findHost)
    {
        SecurityLabels labels = new(modules, manifest);
        Lazy<LimitHost> host = new(findHost);
        List<UnenforcedIsolator> found = [];
        (AcName? App, Isolator Isolator)[] all = [.. UnenforcedIsolator.All(manifest)];
        for (int i = 0; i < all.Length; i++)
        {
            (AcName? app, Isolator isolator) = all[i];
            (string Reason, string? Hint)? why = all.Skip(i + 1).Any(o => o.App == app && o.Isolator.Name == isolator.Name)
                ? ("another one of the same name comes after it, and the last one counts", "Leave one of them out.")
                : stage1.Features.EnforcedIsolators.Contains(isolator.Name.ToString())
                ? Labels.Contains(isolator.Name.ToString()) ? labels.WhyNot(isolator, app) : WhyNot(isolator, app, manifest, options, mutable, host)
                : ($"the flavour {stage1.Name} does not know it", null);
            if (why is var (reason, hint))
            {
                found.Add(new UnenforcedIsolator(isolator, app, reason, hint));
            }
        }

        return found;
    }

    private static (string Reason, string? Hint)? WhyNot(Isolator isolator, AcName? app, PodManifest manifest, Stage1Options options, bool mutable, Lazy<LimitHost> host)
    {
        string name = isolator.Name.ToString();
        if (ResourceLimits.ControllerOf(name) is { } controller)
        {
            return host.Value.WhyNot(controller)
                ?? (controller == LimitHost.Io && app is not null && (manifest.Apps.Count > 1 || mutable)
                    ? ("in a pod of several apps, or of apps that come and go, block devices are limited for the whole pod only", "Make it an isolator of the pod.") : null);
        }

        if (name == IsolatorNames.NetworkBandwidth)
        {
            return NetworkLimit.WhyNot(app, manifest);
        }

        const string OfThePod = "Make it an isolator of the pod.";
        return name == IsolatorNames.Sysctl
                ? (app is not null ? ("it is one for pods, not for apps", OfThePod) : KernelParameters.WhyNot(isolator, options))
            : app is null ? ("it is one for apps, not for pods", "Make it an isolator of the apps.")
            : null;
    }
}
