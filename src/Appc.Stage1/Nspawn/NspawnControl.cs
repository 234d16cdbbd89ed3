using System.Globalization;
using Appc.Linux;
using Appc.Pods;
using Appc.Stage1.Exec;
using Appc.Stage1.Isolation;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Asks the systemd of a running pod for something, by its own <c>systemctl</c> from the stage1 tree, in the pod's namespaces,
/// as the pod's root and without a capability. Whatever a hostile pod does to it stays there; it is waited for so long and no
/// longer, and little of what it says is read.
/// </summary>
internal sealed class NspawnControl(Stage1Pod pod, ExecLauncher commands, TimeSpan timeout, string subject)
{
    private const int OutputLimit = 4096;

    private readonly PodPaths _paths = new(pod);

    /// <summary>Gives a command.</summary>
    /// <returns>Null, or what systemctl said when it failed.</returns>
    /// <exception cref="LaunchException">The pod's systemd is gone, or does not answer.</exception>
    internal async Task<string?> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Stage1ProcessId leader = PodPaths.ReadProcess(_paths.Leader) ?? throw Gone();
        using ExecTarget target = ExecTarget.Open(leader.Pid, leader.StartTime, subject);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            Stage1Exec started = await commands.StartAsync(Describe(arguments), target, limit.Token).ConfigureAwait(false);
            PodExec control = new(started);
            await using (control.ConfigureAwait(false))
            {
                ExecResult result = await control.ReadToEndAsync(OutputLimit, limit.Token).ConfigureAwait(false);
                return result.ExitCode == 0 ? null : Printable.Text(LastLine(result));
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LaunchException(
                "ask the pod's systemd", 0, string.Create(CultureInfo.InvariantCulture, $"{subject}: the pod's systemd did not {arguments[0]} within {timeout.TotalSeconds} s"), "Stop the pod.", e);
        }
    }

    /// <summary>The last line, but for the advice to look into logs that there are none of.</summary>
    private static string LastLine(ExecResult result) =>
        $"{result.StandardOutput}\n{result.StandardError}".Split('\n', StringSplitOptions.TrimEntries)
            .LastOrDefault(l => l.Length > 0 && !l.StartsWith("See ", StringComparison.Ordinal)) ?? $"systemctl ended with {result.ExitCode}";

    private ExecRequest Describe(IReadOnlyList<string> arguments) => new()
    {
        Subject = $"{subject}: systemctl",
        Command = new Stage1Command { Arguments = [Stage1TreeFiles.Control, "--quiet", "--no-ask-password", "--no-pager", .. arguments] },
        User = AppUser.Root,
        Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = "/usr/bin", ["LC_ALL"] = "C" },
        WorkingDirectory = "/",
        Capabilities = default,
        CapabilitiesRetained = true,
        NoNewPrivileges = true,
        LastCapability = Capability.OfThisKernel(),
        Filters = [],
        HostUid = _paths.ReadRange() ?? 0,
    };

    private LaunchException Gone() => new("ask the pod's systemd", 0, $"{subject}: the pod has ended, or has not begun");
}
