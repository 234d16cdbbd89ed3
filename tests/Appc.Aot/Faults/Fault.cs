namespace Appc.Aot.Faults;

/// <summary>What happens at a system call instead of it.</summary>
/// <param name="Name">How it is shown.</param>
/// <param name="Errno">What the call returns; 0 to kill the process.</param>
/// <param name="Lasting">Whether every later call that fills the disk is refused as well.</param>
internal sealed record Fault(string Name, int Errno, bool Lasting = false);
