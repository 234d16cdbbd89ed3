using Microsoft.Win32.SafeHandles;

namespace Appc.Linux;

public sealed class UserNamespaceTests
{
    [Fact]
    public async Task A_process_that_enters_is_root_inside_and_the_base_outside()
    {
        using ProcessReaper reaper = new();
        string output = Path.GetTempFileName();
        try
        {
            using SafeFileHandle space = UserNamespace.Create(700000, 65536);
            using LaunchPlan plan = new("pod x", 0);
            LaunchArgument log = plan.Open("open the log", output, Tmds.Linux.LibC.O_WRONLY);
            plan.EnterNamespace("enter the user namespace", (int)space.DangerousGetHandle(), Tmds.Linux.LibC.CLONE_NEWUSER);
            plan.SetIdentity(5, 6, [7]);
            plan.PassDescriptors((log, 1), (log, 2));
            plan.Execute(["/usr/bin/busybox"], ["sh", "-c", "cat /proc/self/uid_map; id -u; id -G"], []);
            ProcessEnd end = await reaper.WaitAsync(plan.Start().PidFd, isChild: true);
            string[] words = (await File.ReadAllTextAsync(output)).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(["0", "700000", "65536", "5", "6", "7"], words);
            Assert.Equal(0, end.Value);
        }
        finally
        {
            File.Delete(output);
        }
    }

    [Fact]
    public void Three_hundred_namespaces_beside_garbage_collections()
    {
        int before = HostState.Descriptors();
        using (GarbageLoad load = new())
        {
            for (uint i = 0; i < 300; i++)
            {
                using SafeFileHandle space = UserNamespace.Create(1_000_000 + (i * 65536), 65536);
                Assert.False(space.IsInvalid);
            }

            Assert.InRange(load.Collections, 1, int.MaxValue);
        }

        Assert.Single(HostState.OfThreads());
        Assert.InRange(HostState.Descriptors(), 1, before + 20);
    }
}
