using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Appc.Linux;
using Appc.Stage1;
using Microsoft.Extensions.Logging;

namespace Appc.Pods;

/// <summary>Where the metadata service of a pod is.</summary>
/// <param name="Url">What its apps are told.</param>
/// <param name="InPod">Whether the service must listen in the network of the pod; else it does in the host's.</param>
internal sealed record PodMetadataRecord(string Url, bool InPod);

/// <summary>
/// A pod's side of the metadata service: asks the service of the data directory, whichever process that is, to serve a pod, and keeps
/// in the pod's directory by what URL it is known.
/// </summary>
internal static class PodMetadata
{
    /// <summary>The port of a pod's own loopback interface at which its apps find the service.</summary>
    public const int PodPort = 18112;

    /// <summary>Asks at which address of the host's network the service listens; <see cref="Nowhere"/> if it does not.</summary>
    public const string WhereRequest = "where";

    /// <summary>Asks, with the UUID of a pod that has a network of its own, to listen in there.</summary>
    public const string ServeRequest = "serve ";

    public const string Nowhere = "-";
    public const string Served = "served";

    /// <summary>The longest request or answer.</summary>
    public const int MaxLine = 512;

    private const string SocketName = "socket";
    private const string FileName = "metadata";
    private const string InPodWord = "pod";
    private const string OnHostWord = "host";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>What the service keeps in the data directory: its socket, its key, its lock.</summary>
    public static string DirectoryOf(string root) => Path.Combine(root, "metadata");

    /// <summary>Decides, right before a pod is started, by what URL its apps find the service; null: they have none.</summary>
    /// <exception cref="PodException">It must have one, and no service can be reached that serves such a pod.</exception>
    public static async Task<PodMetadataRecord?> FindAsync(string root, string subject, Stage1Options options, Stage1Features features, CancellationToken cancellationToken)
    {
        if (options.Metadata == MetadataMode.None || (options.Metadata == MetadataMode.Auto && !IsThere(root)))
        {
            return null;
        }

        bool inPod = features.OwnNetwork && !options.HostNetwork;
        string? address = await TryAskAsync(root, WhereRequest, cancellationToken).ConfigureAwait(false);
        if (address is not null && (inPod || address != Nowhere))
        {
            // 256 random bits: whoever knows the URL is the pod.
            string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            return new PodMetadataRecord(string.Create(CultureInfo.InvariantCulture, $"http://{(inPod ? $"127.0.0.1:{PodPort}" : address)}/{token}"), inPod);
        }

        return options.Metadata == MetadataMode.Auto ? null
            : address is null
                ? throw new PodException(PodFailure.HostUnsuitable, $"{subject} must have the metadata service, and no process serves {root}", "start MetadataService in some process first, or 'appc metadata-service'")
                : throw new PodException(PodFailure.HostUnsuitable, $"{subject} uses the host's network, where the metadata service of {root} does not listen", "give the service a MetadataServiceOptions.HostEndPoint, or the pod a network of its own");
    }

    /// <summary>Has the service listen in the network of a pod that has just been born.</summary>
    /// <exception cref="PodException">It cannot, and the pod must have it.</exception>
    public static async Task AnnounceAsync(Stage1Pod pod, ILogger logger, CancellationToken cancellationToken)
    {
        string? answer = await TryAskAsync(pod.Root, ServeRequest + pod.Uuid, cancellationToken).ConfigureAwait(false);
        if (answer == Served)
        {
            return;
        }

        string why = answer is null ? "it has ended" : Printable.Text(answer);
        if (pod.Options.Metadata == MetadataMode.Required)
        {
            throw new PodException(PodFailure.HostUnsuitable, $"the metadata service does not serve the pod {pod.Uuid}: {why}", "see the log of the process that serves");
        }

        logger.MetadataNotServed(pod.Uuid, why);
    }

    public static void Write(string directory, PodMetadataRecord record) =>
        SmallFile.Replace(Path.Combine(directory, FileName), Encoding.ASCII.GetBytes($"{(record.InPod ? InPodWord : OnHostWord)} {record.Url}\n"));

    /// <summary>Where the service of a started pod is; null if it has none.</summary>
    public static PodMetadataRecord? Read(string directory) =>
        SmallFile.TryReadContent(Path.Combine(directory, FileName)) is { } content && Encoding.ASCII.GetString(content).TrimEnd('\n').Split(' ') is [var place, var url]
            ? new PodMetadataRecord(url, place == InPodWord)
            : null;

    /// <summary>Makes the service's end of the socket. The directory is one that only its owner can enter.</summary>
    public static Socket Listen(string root)
    {
        Unlisten(root);
        using Fd directory = Fd.OpenDirectory(DirectoryOf(root));
        Socket socket = NewSocket();
        try
        {
            socket.Bind(new UnixAddress(directory, SocketName));
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes the socket's name away: what one that was killed left, or when it serves no more.</summary>
    public static void Unlisten(string root) => File.Delete(Path.Combine(DirectoryOf(root), SocketName));

    public static bool IsThere(string root) => File.Exists(Path.Combine(DirectoryOf(root), SocketName));

    /// <summary>Asks the service one thing; null if there is none.</summary>
    private static async Task<string?> TryAskAsync(string root, string request, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        try
        {
            using Socket socket = NewSocket();
            using (Fd directory = Fd.OpenDirectory(DirectoryOf(root)))
            {
                await socket.ConnectAsync(new UnixAddress(directory, SocketName), limit.Token).ConfigureAwait(false);
            }

            await socket.SendAsync(Encoding.ASCII.GetBytes(request + "\n"), limit.Token).ConfigureAwait(false);
            return await ReadLineAsync(socket, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Reads one short line; null if the other side ends before.</summary>
    public static async Task<string?> ReadLineAsync(Socket socket, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MaxLine];
        int length = 0;
        while (length < buffer.Length)
        {
            int received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (received == 0)
            {
                return null;
            }

            length += received;
            if (buffer.AsSpan(0, length).IndexOf((byte)'\n') is >= 0 and int end)
            {
                return Encoding.UTF8.GetString(buffer, 0, end);
            }
        }

        return null;
    }
}
