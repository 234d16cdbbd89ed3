using System.Text;

namespace Appc.Linux;

/// <summary>Variables of the program that are known in the child only.</summary>
internal sealed unsafe partial class LaunchPlan
{
    private readonly List<nint> _variables = [];

    /// <summary>A variable with the child's own process id, as who is handed listening sockets is told by LISTEN_PID.</summary>
    internal void TellProcessId(string variable)
    {
        const int Digits = 11;
        byte[] name = Encoding.UTF8.GetBytes(variable + "=");
        byte[] room = new byte[name.Length + Digits + 1];
        name.CopyTo(room, 0);
        nint memory = Bytes(room);

        // What this link leads to is the number as text; the zeros behind it end the text.
        Add("tell the process id", SystemCall.ReadLinkAt, AT_FDCWD, Text("/proc/self"), memory + name.Length, Digits);
        _variables.Add(memory);
    }
}
