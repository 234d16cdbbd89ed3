namespace Appc.Stage1;

/// <summary>A started pod: its first process, and its end.</summary>
/// <param name="Id">Names the first process beyond reuse of process ids.</param>
/// <param name="Ended">
/// Ends when the first process, a child of this process, has been reaped and every app's end has been recorded.
/// Never fails.
/// </param>
public sealed record Stage1Process(Stage1ProcessId Id, Task Ended);

/// <summary>Names a process beyond the reuse of its number.</summary>
/// <param name="Pid">Process id in the namespace of this process.</param>
/// <param name="StartTime">Start time in clock ticks since boot (field 22 of <c>/proc/PID/stat</c>).</param>
/// <param name="BootId">The boot of the machine (<c>/proc/sys/kernel/random/boot_id</c>); empty where there is none.</param>
public sealed record Stage1ProcessId(int Pid, long StartTime, string BootId);
