using Appc.Stage1;

namespace Appc.Pods;

/// <summary>Looks whether pods can be run.</summary>
internal static class RuntimeHealthCheck
{
    public static async Task<RuntimeHealth> RunAsync(string root, PodDirectories pods, IReadOnlyList<IStage1> stage1s, CancellationToken cancellationToken)
    {
        List<string> problems = [];
        bool writable = await TryAsync(
            async () =>
            {
                pods.EnsureCreated();
                string probe = Path.Combine(root, "pods", $".health-{Guid.NewGuid():N}");
                try
                {
                    // More than a name: a full disk still gives names.
                    await File.WriteAllBytesAsync(probe, new byte[4096], cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    File.Delete(probe);
                }
            },
            problems).ConfigureAwait(false);
        long? free = null;
        await TryAsync(
            () =>
            {
                free = Directory.Exists(root) ? new DriveInfo(root).AvailableFreeSpace : null;
                return Task.CompletedTask;
            },
            problems).ConfigureAwait(false);
        if (stage1s.Count == 0)
        {
            problems.Add("no stage1 flavour is registered");
        }

        List<Stage1Health> flavours = [];
        foreach (IStage1 stage1 in stage1s)
        {
            Stage1HostReport report = await stage1.ProbeAsync(cancellationToken).ConfigureAwait(false);
            flavours.Add(new Stage1Health(stage1.Name, report.Version, report.Problem, report.Hint));
        }

        return new RuntimeHealth { Root = root, IsWritable = writable, FreeBytes = free, Stage1s = flavours, Problems = problems };
    }

    private static async Task<bool> TryAsync(Func<Task> action, List<string> problems)
    {
        try
        {
            await action().ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PodException)
        {
            problems.Add(e.Message);
            return false;
        }
    }
}
