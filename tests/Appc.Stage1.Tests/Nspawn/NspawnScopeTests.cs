using System.Diagnostics;

namespace Appc.Stage1.Nspawn;

/// <summary>Scopes where there is no systemd to make them. Where there is one, <c>SystemdHostTests</c> has pods in scopes.</summary>
public sealed class NspawnScopeTests(NspawnFixture fixture)
{
    [Fact]
    public Task Without_a_bus_the_start_fails_and_leaves_nothing() => RefusedAsync("unix:path=/no/such/bus");

    [Fact]
    public async Task Without_systemd_on_the_bus_the_start_fails_and_leaves_nothing()
    {
        ProcessStartInfo start = new("dbus-daemon", ["--session", "--nofork", "--print-address"]) { RedirectStandardOutput = true };
        using Process bus = Process.Start(start)!;
        try
        {
            await RefusedAsync((await bus.StandardOutput.ReadLineAsync())!.Split(',')[0]);
        }
        finally
        {
            bus.Kill();
            await bus.WaitForExitAsync();
        }
    }

    private async Task RefusedAsync(string bus)
    {
        using NspawnStage1 stage1 = new(new NspawnOptions { Scope = true }) { BusAddress = bus };
        using NspawnPod pod = new(fixture) { Stage1 = stage1 };
        Directory.CreateDirectory(Path.Combine(fixture.Root, "uidranges"));
        LaunchException refused = await Assert.ThrowsAsync<LaunchException>(() => pod.Shell("echo ran").StartAsync());
        Assert.Equal("make a scope for the pod", refused.Step);
        Assert.Contains($"appc-{pod.Uuid}.scope", refused.Message, StringComparison.Ordinal);
        Assert.Contains("NspawnOptions.Scope", refused.Hint, StringComparison.Ordinal);
        pod.ReleaseLock();
        pod.AssertNothingIsLeft();
        Assert.DoesNotContain(
            Directory.GetDirectories("/proc").Select(d => Path.Combine(d, "cmdline")).Where(File.Exists).Select(ReadOrNothing),
            c => c.StartsWith("appc-scope\0", StringComparison.Ordinal));
    }

    private static string ReadOrNothing(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
