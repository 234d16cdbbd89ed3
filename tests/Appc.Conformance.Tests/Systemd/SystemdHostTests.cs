using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Systemd;

/// <summary>Pods in services of a machine that systemd runs. <c>eng/qemu-host.sh</c> makes the same checks in a virtual machine.</summary>
public sealed class SystemdHostTests
{
    [Fact]
    public async Task Services_with_pods_behave_as_systemd_expects_of_services()
    {
        await using SystemdHost host = await SystemdHost.BootAsync();
        string shared = host.Shared;
        await Programs.MustAsync("cp", "-r", Path.Combine(AppContext.BaseDirectory, "published"), Path.Combine(shared, "appc"));
        await Programs.MustAsync("cp", "-r", Path.Combine(AppContext.BaseDirectory, "service"), Path.Combine(shared, "pods"));
        await Programs.MustAsync("cp", "/bin/busybox", Path.Combine(AppContext.BaseDirectory, "host-check.sh"), shared);
        await Programs.MustAsync("cc", "-static", "-O1", "-o", Path.Combine(shared, "service"), Path.Combine(AppContext.BaseDirectory, "service.c"));

        Outcome outcome = await host.RunAsync("bash", Path.Combine(shared, "host-check.sh"), shared);

        Assert.True(outcome.ExitCode == 0 && outcome.Output.EndsWith("all kept\n", StringComparison.Ordinal), outcome.ToString());
    }
}
