using System.Globalization;
using System.Text;
using Appc.Linux;
using Appc.Pods;
using Appc.Stage1.Streams;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// Has the apps of a pod with a network of its own wait until the metadata service listens in there: a unit that comes before
/// them reads a line from a FIFO, which is written when the service has said so.
/// </summary>
internal sealed class NspawnMetadata
{
    internal const string Unit = "metadata.service";

    private const string GateName = "metadata";
    private const string Line = "served";
    private const uint ReadableByAll = 0x124;

    private readonly Stage1Pod _pod;
    private readonly string _gate;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource<Task> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NspawnMetadata(Stage1Pod pod, PodPaths paths, ILogger logger)
    {
        _pod = pod;
        _gate = Path.Combine(paths.Files, GateName);
        _logger = logger;
    }

    /// <summary>What is started for it with the pod, whether apps start then or later.</summary>
    internal static IEnumerable<string> FirstUnits(Stage1Pod pod) => IsNeeded(pod) ? [Unit] : [];

    /// <summary>Writes the unit; false if the apps need not wait.</summary>
    internal static bool Write(Stage1Pod pod, PodPaths paths, TimeSpan patience)
    {
        if (!IsNeeded(pod))
        {
            return false;
        }

        string gate = Path.Combine(paths.Files, GateName);
        InputStreamFile.MakeFifo(gate, ReadableByAll);
        PodFilesWriter.SetMode(gate, ReadableByAll);
        PodFilesWriter.WriteFile(
            Path.Combine(paths.Units, Unit),
            new UnitText()
                .Section("Unit").Set("DefaultDependencies", "no").Set("StartLimitIntervalSec", "0").Set("FailureAction", "exit-force")
                .Section("Service").Set("Type", "oneshot").Set("RemainAfterExit", "yes")
                .Set("TimeoutStartSec", string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(patience.TotalMilliseconds)}ms"))
                .SetQuoted("ExecStart", ":", ["/usr/bin/dash", "-c", $"read -r line < {Stage1TreeFiles.PodDirectory}/{GateName}; test \"$line\" = {Line}"])
                .ToString());
        return true;
    }

    /// <summary>The wait of a pod that is being started; null if its apps need not wait.</summary>
    internal static NspawnMetadata? Of(Stage1Pod pod, PodPaths paths, ILogger logger) => IsNeeded(pod) ? new NspawnMetadata(pod, paths, logger) : null;

    /// <summary>Goes on as soon as the pod's process 1 is recorded.</summary>
    internal void Begin(CancellationToken cancellationToken) => _begun.TrySetResult(OpenAsync(cancellationToken));

    /// <summary>Waits until the apps may start, and then for something else; fails as soon as they may not.</summary>
    internal async Task FollowedByAsync(Task other)
    {
        Task first = await Task.WhenAny(_begun.Task.Unwrap(), other).ConfigureAwait(false);
        await first.ConfigureAwait(false);
        await _begun.Task.Unwrap().ConfigureAwait(false);
        await other.ConfigureAwait(false);
    }

    private static bool IsNeeded(Stage1Pod pod) => pod.MetadataUrl is not null && !pod.Options.HostNetwork;

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        await PodMetadata.AnnounceAsync(_pod, _logger, cancellationToken).ConfigureAwait(false);

        // What is written while nobody reads is lost: the pod's systemd may not have come so far.
        SafeFileHandle? writer;
        while ((writer = InputStreamFile.TryOpenWriter(_gate)) is null)
        {
            await Task.Delay(2, cancellationToken).ConfigureAwait(false);
        }

        using (writer)
        {
            Open(writer);
        }
    }

    private unsafe void Open(SafeFileHandle writer)
    {
        byte[] line = Encoding.ASCII.GetBytes(Line + "\n");
        fixed (byte* p = line)
        {
            ErrnoException.ThrowIfFailed(Libc.write((int)writer.DangerousGetHandle(), p, (nuint)line.Length), $"write {_gate}");
        }
    }
}
