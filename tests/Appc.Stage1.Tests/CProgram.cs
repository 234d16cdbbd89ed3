using System.Diagnostics;

namespace Appc.Stage1;

/// <summary>Small programs in C that tests run in pods, built static when they are first needed.</summary>
internal static class CProgram
{
    private static readonly Lazy<string> Directory = new(() => System.IO.Directory.CreateTempSubdirectory("appc-programs-").FullName);
    private static readonly Lock Gate = new();

    /// <summary>Makes every system call with arguments that do nothing, and prints a line on each: its number and what came of it. With an argument, as the user of that number.</summary>
    public static string SystemCallProbe() => Build("probe", """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/wait.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        int main(int count, char **arguments) {
            if (count > 1 && (setgid(atoi(arguments[1])) < 0 || setuid(atoi(arguments[1])) < 0)) return 1;
            for (long nr = 0; nr < 470; nr++) {
                switch (nr) {
                    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_sync:
                    case SYS_msgget: case SYS_semget: case SYS_shmget: /* leave something behind */
        #ifdef SYS_fork
                    case SYS_fork: case SYS_vfork: case SYS_pause:
        #endif
                        continue;
                }
                fflush(stdout);
                pid_t child = fork();
                if (child == 0) {
                    alarm(2);
                    long r = syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L);
                    int e = errno;
                    char text[64];
                    int n = r >= 0 ? snprintf(text, sizeof text, "%ld passed\n", nr) : snprintf(text, sizeof text, "%ld %s\n", nr, strerrorname_np(e));
                    if (write(1, text, n) != n) _exit(1);
                    _exit(0);
                }
                int status;
                waitpid(child, &status, 0);
                if (WIFSIGNALED(status)) printf("%ld signal %d\n", nr, WTERMSIG(status));
            }
            return 0;
        }
        """);

    /// <summary>Tries to trace, and to look into, every process that appears, and says when it caught one on its way into the pod.</summary>
    public static string TraceHunter() => Build("hunter", """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/ptrace.h>
        #include <sys/uio.h>
        #include <unistd.h>
        static int entering(int pid) {
            char path[32], link[256];
            snprintf(path, sizeof path, "/proc/%d/exe", pid);
            ssize_t n = readlink(path, link, sizeof link - 1);
            if (n < 0) return 0;
            link[n] = 0;
            return strstr(link, "appc-enter") != NULL;
        }
        int main(void) {
            setvbuf(stdout, NULL, _IONBF, 0);
            printf("ready\n");
            int self = getpid();
            for (;;) {
                for (int pid = 2; pid < 300; pid++) {
                    if (pid == self) continue;
                    if (entering(pid)) printf("caught: looked into %d\n", pid);
                    if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
                        if (entering(pid)) printf("caught: traced %d\n", pid);
                        ptrace(PTRACE_DETACH, pid, 0, 0);
                    }
                }
            }
        }
        """);

    /// <summary>Tries to break out in every way that is known, and says of each what came of it.</summary>
    public static string BreakOut() => Build("breakout", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Programs/breakout.c")));

    /// <summary>Says how it was started: arguments, environment, identity, isolation, limits, descriptors, devices.</summary>
    public static string Report() => Build("report", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Programs/report.c")));

    /// <summary>
    /// A service as systemd knows them. <c>announce</c> says READY=1 when /tmp/go appears, <c>child</c> has a child do so,
    /// <c>silent</c> never does, <c>serve</c> answers on the sockets that it was handed.
    /// </summary>
    public static string Service() => Build("service", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "service.c")));

    private static string Build(string name, string source)
    {
        lock (Gate)
        {
            string path = Path.Combine(Directory.Value, name);
            if (!File.Exists(path))
            {
                File.WriteAllText(path + ".c", source);
                using Process compiler = Process.Start("cc", ["-static", "-O1", "-o", path, path + ".c"]);
                compiler.WaitForExit();
                Assert.Equal(0, compiler.ExitCode);
            }

            return path;
        }
    }
}
