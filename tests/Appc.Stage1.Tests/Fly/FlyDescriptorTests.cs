using Appc.Linux;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Fly;

public sealed class FlyDescriptorTests
{
    [Fact]
    public async Task A_host_with_many_files_open_hands_the_lock_over_all_the_same()
    {
        const int F_DUPFD_CLOEXEC = 1030;
        using FlyStage1 stage1 = new();
        using FlyPod pod = new();
        pod.Shell("readlink /proc/self/fd/99");
        for (int lowest = 199; lowest < 203; lowest++)
        {
            pod.Renew();
            Stage1Pod described = pod.Describe();
            using SafeFileHandle high = new(Libc.fcntl(described.LockDescriptor, F_DUPFD_CLOEXEC, lowest), ownsHandle: true);
            Stage1Process process = await stage1.StartAsync(described with { LockDescriptor = (int)high.DangerousGetHandle() });
            await process.Ended;
        }

        Assert.Equal(string.Concat(Enumerable.Repeat(Path.Combine(pod.Base, "lock") + "\n", 4)), pod.Output);
    }
}
