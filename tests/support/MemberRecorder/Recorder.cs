using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;

namespace Appc.MemberRecorder;

/// <summary>Is called by each public member of the recorded libraries, and notes those that a PowerShell script called.</summary>
public static class Recorder
{
    private static readonly ConcurrentDictionary<string, bool> s_called = new(StringComparer.Ordinal);

    static Recorder()
    {
        if (Environment.GetEnvironmentVariable("APPC_CALLED_MEMBERS") is { } path)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => File.AppendAllLines(path, [.. s_called.Keys, .. ImplementedInterfaces()]);
        }
    }

    public static void Called(string member)
    {
        // What is known to be called needs no look at the stack, which is all that this costs.
        if (!s_called.ContainsKey(member) && IsCalledByScript())
        {
            s_called.TryAdd(member, true);
        }
    }

    /// <summary>Whether the caller of the member is PowerShell or code that it made, and not the libraries themselves.</summary>
    private static bool IsCalledByScript()
    {
        // This method, Called and the member.
        StackTrace trace = new(3, fNeedFileInfo: false);
        foreach (StackFrame frame in trace.GetFrames())
        {
            if (frame.GetMethod() is not { } method)
            {
                return false;
            }

            if (method.DeclaringType is not { } type)
            {
                // Of reflection, or made for a script.
                if (method.Name.StartsWith("InvokeStub_", StringComparison.Ordinal))
                {
                    continue;
                }

                return true;
            }

            bool isReflection = type.Assembly == typeof(object).Assembly
                && (type.Namespace == "System.Reflection" || type == typeof(Activator) || type.Name.StartsWith("Runtime", StringComparison.Ordinal));
            if (!isReflection)
            {
                return type.Assembly.IsDynamic || type.Assembly.GetName().Name == "System.Management.Automation";
            }
        }

        return false;
    }

    /// <summary>The interfaces that classes of scripts implement, and with them all their members.</summary>
    private static IEnumerable<string> ImplementedInterfaces() =>
        from assembly in AppDomain.CurrentDomain.GetAssemblies()
        where assembly.IsDynamic
        from type in assembly.GetTypes()
        from contract in type.GetInterfaces()
        select "implements " + contract.FullName;
}
