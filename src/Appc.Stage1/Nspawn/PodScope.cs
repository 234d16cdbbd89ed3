using System.Globalization;
using Appc.Linux;
using Microsoft.Win32.SafeHandles;
using Tmds.DBus.Protocol;
using Tmds.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// A scope unit of the host's systemd for one pod, so that the pod does not end with the unit of the program that
/// started it. A scope is made of processes that are there: a shell that only waits holds it until the pod's first
/// process is born into it, so no process of the pod is ever outside.
/// </summary>
internal sealed class PodScope : IDisposable
{
    private const string Systemd = "org.freedesktop.systemd1";
    private const string Manager = "org.freedesktop.systemd1.Manager";
    private const string ManagerPath = "/org/freedesktop/systemd1";
    private const string Step = "make a scope for the pod";
    private const string Hint = "Scopes need a host whose process 1 is systemd, and its system bus; leave NspawnOptions.Scope and Register off elsewhere.";

    private readonly LaunchedProcess _holder;
    private readonly SafeFileHandle _leash;
    private bool _released;

    private PodScope(LaunchedProcess holder, SafeFileHandle leash)
    {
        _holder = holder;
        _leash = leash;
    }

    /// <summary>The scope's control group in the version 2 hierarchy. No process lives in it, so that it can hand on controllers.</summary>
    internal string Group { get; private set; } = "";

    private string HolderGroup => Group + "/start";

    internal static string NameOf(string uuid) => PodCGroup.NameOf(uuid) + ".scope";

    /// <summary>Has systemd make the scope.</summary>
    /// <param name="uuid">The pod.</param>
    /// <param name="shell">A shell of the host.</param>
    /// <param name="stopTimeout">How long the pod may take when the scope is stopped.</param>
    /// <param name="subject">The pod, for messages.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <param name="busAddress">Where systemd is asked; null for the system's bus.</param>
    /// <exception cref="LaunchException">There is no systemd that could, or it refuses.</exception>
    internal static async Task<PodScope> StartAsync(
        string uuid, string shell, TimeSpan stopTimeout, string subject, CancellationToken cancellationToken, string? busAddress = null)
    {
        using DBusConnection bus = new(busAddress ?? DBusAddress.System ?? throw new LaunchException(Step, 0, $"{subject}: there is no system bus", Hint));
        PodScope? scope = null;
        try
        {
            await bus.ConnectAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            scope = Hold(shell, subject);
            await scope.MakeAsync(bus, uuid, stopTimeout, subject, cancellationToken).ConfigureAwait(false);
            return scope;
        }
        catch (Exception e)
        {
            scope?.Dispose();
            throw e is DBusExceptionBase or IOException or UnauthorizedAccessException
                ? new LaunchException(Step, 0, $"{subject}: the scope {NameOf(uuid)} cannot be made: {Printable.Text(e.Message)}", Hint, e)
                : e;
        }
    }

    /// <summary>Lets go: from here on the pod's own processes hold the scope, and with the last of them it ends.</summary>
    public void Dispose()
    {
        if (_released)
        {
            return;
        }

        _released = true;
        _leash.Dispose();
        PidFd.Signal(_holder.PidFd, LibC.SIGKILL);
        LaunchPlan.Reap(_holder.PidFd);
        if (Group.Length > 0)
        {
            PodCGroup.TryRemove(HolderGroup);
        }
    }

    /// <summary>Starts the shell. It reads from a pipe that nobody writes to, so it ends with this process, too.</summary>
    private static PodScope Hold(string shell, string subject)
    {
        using Pipe leash = Pipe.Make();
        using LaunchPlan plan = new(subject, 0);
        LaunchArgument nothing = plan.Open("open /dev/null", "/dev/null", LibC.O_RDWR);
        plan.PassDescriptors([((int)leash.Reader.DangerousGetHandle(), 0), (nothing, 1), (nothing, 2)]);
        plan.Execute([shell], ["appc-scope", "-c", "read nothing"], []);
        LaunchedProcess holder = plan.Start();
        return new PodScope(holder, leash.TakeWriter());
    }

    private async Task MakeAsync(DBusConnection bus, string uuid, TimeSpan stopTimeout, string subject, CancellationToken cancellationToken)
    {
        string name = NameOf(uuid);
        TaskCompletionSource<string> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        MatchRule rule = new() { Type = MessageType.Signal, Sender = Systemd, Path = ManagerPath, Interface = Manager, Member = "JobRemoved" };
        using IDisposable match = await bus.AddMatchAsync(
            rule,
            static (Message message, object? _) =>
            {
                Reader reader = message.GetBodyReader();
                reader.ReadUInt32();
                reader.ReadObjectPathAsString();
                return (Unit: reader.ReadString(), Result: reader.ReadString());
            },
            (Notification<(string Unit, string Result)> notification) =>
            {
                // No other job is for a unit of this name, which is the pod's alone.
                if (notification.HasValue && notification.Value.Unit == name)
                {
                    done.TrySetResult(notification.Value.Result);
                }
                else if (notification.IsCompletion)
                {
                    done.TrySetException(notification.CompletionReason);
                }
            },
            flags: ObserverFlags.EmitOnConnectionFailed | ObserverFlags.EmitOnReaderFailed).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        await bus.CallMethodAsync(Call(bus, Describe(name, uuid, stopTimeout))).WaitAsync(cancellationToken).ConfigureAwait(false);
        string result = await done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        (string? group, _) = ControlGroups.Differing(_holder.Pid);
        if (result != "done" || group is null || !group.EndsWith("/" + name, StringComparison.Ordinal))
        {
            throw new LaunchException(Step, 0, $"{subject}: systemd did not start the scope {name}: {Printable.Text(result)}", Hint);
        }

        Directory.CreateDirectory(group + "/start");
        await File.WriteAllTextAsync(group + "/start/cgroup.procs", _holder.Pid.ToString(CultureInfo.InvariantCulture), cancellationToken).ConfigureAwait(false);
        Group = group;
    }

    private (string Name, (string Key, VariantValue Value)[] Properties) Describe(string name, string uuid, TimeSpan stopTimeout) =>
        (name,
        [
            ("Description", "Pod " + uuid), ("Slice", "machine.slice"), ("Delegate", true), ("CollectMode", "inactive-or-failed"),
            ("TimeoutStopUSec", (ulong)stopTimeout.TotalMicroseconds), ("PIDs", VariantValue.Array(new[] { (uint)_holder.Pid })),
        ]);

    private static MessageBuffer Call(DBusConnection bus, (string Name, (string Key, VariantValue Value)[] Properties) unit)
    {
        using MessageWriter writer = bus.GetMessageWriter();
        writer.WriteMethodCallHeader(Systemd, ManagerPath, Manager, "StartTransientUnit", "ssa(sv)a(sa(sv))");
        writer.WriteString(unit.Name);
        writer.WriteString("fail");
        ArrayStart properties = writer.WriteArrayStart(DBusType.Struct);
        foreach ((string key, VariantValue value) in unit.Properties)
        {
            writer.WriteStructureStart();
            writer.WriteString(key);
            writer.WriteVariant(value);
        }

        writer.WriteArrayEnd(properties);
        writer.WriteArrayEnd(writer.WriteArrayStart(DBusType.Struct));
        return writer.CreateMessage();
    }
}
