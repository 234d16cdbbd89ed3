using System.Globalization;

namespace Appc.Pods;

/// <summary>Names and numbers of the signals of Linux (the same on every architecture that .NET runs on).</summary>
internal static class SignalNumbers
{
    // The C library keeps the first two real-time signals for itself.
    private const string RealTime = "SIGRTMIN+";
    private const int FirstRealTime = 34;
    private const int Last = 64;

    private static readonly string[] s_names =
    [
        "SIG0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>The number of a signal's name; 0 if there is no such signal.</summary>
    public static int Of(string name)
    {
        if (name.StartsWith(RealTime, StringComparison.Ordinal))
        {
            return int.TryParse(name.AsSpan(RealTime.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int offset) && offset <= Last - FirstRealTime
                ? FirstRealTime + offset : 0;
        }

        int index = Array.IndexOf(s_names, name);
        return index > 0 ? index
            : name.StartsWith("SIG", StringComparison.Ordinal) && int.TryParse(name.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : 0;
    }

    /// <summary>The name of a signal given as a number (<c>9</c>) or as a name with or without <c>SIG</c>.</summary>
    public static string NameOf(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return number > 0 && number < s_names.Length ? s_names[number] : "SIG" + text;
        }

        return text.StartsWith("SIG", StringComparison.Ordinal) ? text : "SIG" + text;
    }
}
