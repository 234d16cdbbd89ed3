namespace Appc.Stage1.Nspawn;

/// <summary>Options of the nspawn flavour.</summary>
public sealed class NspawnOptions
{
    /// <summary>The <c>systemd-nspawn</c> program.</summary>
    /// <value>The default value is null: the one found in the usual directories of programs.</value>
    public string? NspawnPath { get; set; }

    /// <summary>The <c>systemd</c> program that is process 1 of every pod.</summary>
    /// <value>The default value is null: <c>/usr/lib/systemd/systemd</c> or <c>/lib/systemd/systemd</c>.</value>
    public string? SystemdPath { get; set; }

    /// <summary>
    /// How long an app that has no <see cref="Pods.AppSpec.StopTimeout"/> may take to stop once it was asked to, before it is
    /// killed: when the exit policy or the caller's unit ends the pod, and as the upper limit of the grace that a caller
    /// of <see cref="Pods.Pod.StopAsync"/> gives.
    /// </summary>
    /// <value>The default value is 90 seconds.</value>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// Whether apps write to the journal of the host instead of to the pod's log files, named by SYSLOG_IDENTIFIER. The journal
    /// files it under the unit that this process runs in; <see cref="Pods.Pod.CopyLogsAsync(Pods.LogOptions, Stream, Stream, CancellationToken)"/> then finds nothing.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Journal { get; set; }

    /// <summary>
    /// Whether pods are registered with systemd-machined, as <c>appc-UUID</c>: <c>machinectl</c> lists them. Each then has a scope of its
    /// own, as with <see cref="Scope"/>: machined has one machine to a unit, and stops the unit of a machine that has ended.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Register { get; set; }

    /// <summary>
    /// Whether each pod gets a scope unit of the host's systemd, <c>appc-UUID.scope</c> in <c>machine.slice</c>, instead of
    /// living in the unit of this process: the pod then goes on when that unit is stopped, and <c>systemctl stop</c> of the
    /// scope ends it. Needs a host whose process 1 is systemd, and its system bus; elsewhere the start fails.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Scope { get; set; }

    /// <summary>Whether pods have scopes, for whatever reason.</summary>
    internal bool HasScopes => Scope || Register;

    /// <summary>How long a pod may take from its launch until its process 1 runs.</summary>
    /// <value>The default value is 60 seconds.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How many processes and threads a user of a pod may have before more are refused: what holds a fork bomb. Each
    /// user id of each pod is counted on its own.
    /// </summary>
    /// <value>The default value is 16384, as systemd has it for its containers. A lower limit of this process holds too.</value>
    public int MaxProcesses { get; set; } = 16384;
}
