using System.Diagnostics;
using Appc.Linux;

namespace Appc.Core.Tests.Linux;

/// <summary>Who is found as the first process of a pod whose start was cut off before it was recorded.</summary>
public sealed class ProcessIdentityTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("appc-identity-").FullName, "lock");
    private readonly List<Process> _processes = [];

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            process.Dispose();
        }

        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
    }

    [Fact]
    public async Task A_lock_is_held_by_who_inherited_it_once_who_took_it_has_ended()
    {
        // flock(1) takes the lock and waits for its child, which inherits it.
        Process taker = Start("flock", "--exclusive", _file, "sleep", "1000");
        await UntilAsync(() => Child(taker.Id) is not null && LockFile.IsHeld(_file));
        Process child = Process.GetProcessById(Child(taker.Id)!.Value);
        _processes.Add(child);

        // Like a program that is about to start a pod: it must not be taken for the pod.
        Assert.Null(ProcessIdentity.FindHolder(_file));

        taker.Kill();
        await taker.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(child.Id, ProcessIdentity.FindHolder(_file)?.Pid);
    }

    [Fact]
    public async Task Who_only_looks_at_a_lock_does_not_hold_it()
    {
        await File.WriteAllTextAsync(_file, string.Empty, TestContext.Current.CancellationToken);
        Process looking = Start("sh", "-c", $"exec 3<'{_file}'; echo open; exec sleep 1000");
        Assert.Equal("open", await looking.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        Assert.Null(ProcessIdentity.FindHolder(_file));
    }

    private Process Start(string program, params string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        _processes.Add(process);
        return process;
    }

    private static int? Child(int pid) =>
        File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var child, ..] ? int.Parse(child, null) : null;

    private static async Task UntilAsync(Func<bool> condition)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
