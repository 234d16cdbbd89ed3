using Appc.Core.Tests.Native;

namespace Appc.Core.Tests.Images;

/// <summary>
/// Imports, removals, collections and the like, killed at every system call that writes, and refused by the kernel at
/// every one that reads or writes (tests/Appc.Aot/Faults): nothing but an error of this library comes of it, what is
/// stored is whole, the work can be done again, and a collection leaves nothing.
/// </summary>
public sealed class FaultTests(NativeProgram native)
{
    private const string Extra = """
        "pathWhitelist": ["/etc/kept", "/a/b/hard", "/bin/true", "/bin/wait"], "app": { "exec": ["/bin/true"], "user": "0", "group": "0" }
        """;

    private static readonly int NspawnParts = int.TryParse(Environment.GetEnvironmentVariable("APPC_FAULT_PARTS"), out int parts) ? parts : 90;

    // Programs without a library: one that ends at once, and one that waits for a signal for ever.
    private const string Program = """
        #include <sys/syscall.h>
        static long call(long number, long a)
        {
        #ifdef __x86_64__
            long result;
            register long four __asm__("r10") = 0;
            __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(0), "d"(0), "r"(four) : "rcx", "r11", "memory");
            return result;
        #else
            register long x8 __asm__("x8") = number;
            register long x0 __asm__("x0") = a;
            register long x1 __asm__("x1") = 0;
            register long x2 __asm__("x2") = 0;
            register long x3 __asm__("x3") = 0;
            __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
            return x0;
        #endif
        }
        void _start(void)
        {
        #ifdef WAIT
            for (;;) call(SYS_ppoll, 0);
        #endif
            for (;;) call(SYS_exit_group, 0);
        }
        """;

    public static TheoryData<string> Scenarios =>
    [
        "import", "import-over-insecure", "remove", "render", "export", "collect-images", "collect-leftovers", "collect-pods",
        "pod-prepare", "pod-run", "pod-run-prepared", "pod-run-recorded", "pod-run-limited", "pod-run-nspawn", "pod-stop", "pod-remove", "app-add", "app-remove", "pod-collect",
    ];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_fault_at_any_system_call_leaves_the_store_whole(string scenario)
    {
        (string program, _) = await native.Published;
        string scratch = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        scratch = Directory.CreateDirectory(Path.Combine(scratch, "appc-faults-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            string archive = Pack(scratch);

            // A pod of nspawn takes a third of a second, and a thousand calls: each run of the tests does another few of them.
            int parts = scenario == "pod-run-nspawn" ? NspawnParts : scenario.StartsWith("app-", StringComparison.Ordinal) ? Math.Max(1, NspawnParts / 3) : 1;
            int part = Random.Shared.Next(parts);

            // Two at a time: one waits for processes to start while the other works.
            (int Status, string Output)[] outcomes = await Task.WhenAll(RunAsync("kill", part, parts), RunAsync("refuse", part, 2 * parts), RunAsync("refuse", parts + part, 2 * parts));

            foreach ((int status, string output) in outcomes)
            {
                TestContext.Current.TestOutputHelper?.WriteLine(output);
                Assert.True(status == 0, output);
            }

            Task<(int, string)> RunAsync(string how, int part, int parts) => NativeProgram.RunAsync(
                program,
                ["faults", how, scenario, archive, Directory.CreateDirectory(Path.Combine(scratch, $"{how}-{part}")).FullName, $"{part}", $"{parts}"]);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    [Fact]
    public async Task Every_scenario_is_run()
    {
        (string program, _) = await native.Published;
        (_, string output) = await NativeProgram.RunAsync(program, ["faults", "list"]);
        Assert.Equal(output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(), Scenarios.Select(s => s.Data).Order());
    }

    /// <summary>An entry of every kind, and a directory without one; signed as <see cref="StubVerifier"/> has it.</summary>
    private static string Pack(string scratch)
    {
        string archive = Path.Combine(scratch, "image.aci");
        File.WriteAllText(Path.Combine(scratch, "program.c"), Program);
        ImageFixture.Shell($$"""
            set -e
            mkdir -p '{{scratch}}/layout/rootfs'; cd '{{scratch}}/layout'
            printf '%s' '{{ImageFixture.Manifest("example.com/fault", Extra)}}' > manifest
            cd rootfs
            mkdir -p etc a/b dev bin
            cc -static -nostdlib -O1 -fno-stack-protector -o bin/true '{{scratch}}/program.c'
            cc -static -nostdlib -O1 -fno-stack-protector -DWAIT -o bin/wait '{{scratch}}/program.c'
            echo kept > etc/kept; echo out > etc/left-out
            echo su > a/su; chown 12:34 a/su; chmod 6755 a/su
            setfattr -n security.capability -v 0x{{Convert.ToHexString(RichTree.Capability)}} etc/kept
            ln etc/kept a/b/hard; ln -s ../etc/kept a/soft
            mkfifo dev/pipe; mknod dev/null c 1 3
            truncate -s 300000 a/holes; printf x | dd of=a/holes bs=1 seek=200000 conv=notrunc status=none
            touch -d 2001-02-03 a etc .
            cd ..
            tar --format=pax --sparse --xattrs --xattrs-include='*' --no-recursion -czf '{{archive}}' manifest rootfs rootfs/etc rootfs/etc/kept rootfs/etc/left-out \
                rootfs/a rootfs/a/su rootfs/a/b/hard rootfs/a/soft rootfs/dev rootfs/dev/pipe rootfs/dev/null rootfs/a/holes \
                rootfs/bin/true rootfs/bin/wait
            """);
        StubVerifier.Sign(archive, "example.com");
        return archive;
    }
}
