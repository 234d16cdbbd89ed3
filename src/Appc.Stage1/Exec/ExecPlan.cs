using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Stage1.Isolation;
using Tmds.Linux;

namespace Appc.Stage1.Exec;

/// <summary>Writes the plan by which a program of its own joins an app and becomes the command.</summary>
internal static class ExecPlan
{
    private const string GroupStep = "enter the control groups";
    private const string NamespaceStep = "enter the app's namespaces";

    /// <summary>Where the target's descriptor is in the list of passed ones.</summary>
    private static readonly int Target = LaunchPlan.PassedDescriptor(0);

    /// <summary>Builds the plan; it is started with the target's descriptor as the only passed one.</summary>
    internal static LaunchPlan Build(ExecRequest request, ExecTarget target)
    {
        LaunchPlan plan = new(request.Subject, 0, new LaunchArena()) { CGroup = target.CGroup };
        try
        {
            Write(plan, request, target);
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>Whether a launch failed because what it was to join has ended meanwhile: the control group, or the process of which the namespaces are.</summary>
    internal static bool HasLostTarget(LaunchException e) =>
        e.Step is LaunchPlan.BirthStep or GroupStep or NamespaceStep && e.Errno is Errno.ENOENT or Errno.ENODEV or Errno.ESRCH;

    private static void Write(LaunchPlan plan, ExecRequest request, ExecTarget target)
    {
        // First of all: from the moment it is among them, the pod's processes must not be able to trace it.
        plan.ForbidTracing();
        if (request.OomScoreAdjustment is { } score)
        {
            plan.WriteFile("set the OOM score", "/proc/self/oom_score_adj", Encoding.ASCII.GetBytes(score.ToString(CultureInfo.InvariantCulture)));
        }

        foreach (string group in target.OtherCGroups)
        {
            plan.WriteFile(GroupStep, group, "0"u8);
        }

        foreach ((int resource, ulong soft, ulong hard) in target.Limits)
        {
            plan.SetLimit("set limits", resource, soft, hard);
        }

        LaunchArgument proc = request.Labels.Count == 0 ? default : plan.Open("open /proc", "/proc", LibC.O_PATH | Libc.O_DIRECTORY);
        plan.EnterNamespace(NamespaceStep, Target, target.Namespaces);
        plan.Fork("enter the app's process namespace");

        // The root of the app's mount namespace is the app's root; from here on every path is one of the app's.
        plan.BeginSession(terminal: request.Command.Terminal is not null);
        plan.NewSessionKeyring();
        SecurityLabels.Write(plan, proc, request.Labels);
        plan.ChangeDirectory($"enter the working directory {request.WorkingDirectory}", request.WorkingDirectory);
        plan.SetUmask(0x12); // 022
        if (request.FiltersFirst)
        {
            Install(plan, request.Filters);
        }

        PrivilegeSteps.Drop(
            plan, request.User, request.Capabilities, request.CapabilitiesRetained, request.LastCapability,
            rootKeepsAll: !request.FiltersFirst && !request.NoNewPrivileges);
        if (request.NoNewPrivileges)
        {
            plan.NoNewPrivileges();
        }

        plan.KeepStreamsOnly();
        IReadOnlyList<byte[]> late = request.FiltersFirst ? [] : request.Filters;
        Install(plan, late.SkipLast(1));
        plan.Become(
            ProgramSearch.Candidates(request.Command.Arguments[0], request.WorkingDirectory, request.Environment["PATH"]),
            request.Command.Arguments,
            request.Environment.Select(v => $"{v.Key}={v.Value}"),
            late.Count > 0 ? late[^1] : []);
    }

    private static void Install(LaunchPlan plan, IEnumerable<byte[]> filters)
    {
        foreach (byte[] filter in filters)
        {
            plan.InstallFilter(filter);
        }
    }
}
