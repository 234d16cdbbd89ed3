using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Appc.Metadata;

/// <summary>
/// The App Container Metadata Service (ace.md), for all pods of a data directory, whichever process starts them: tells apps by HTTP what their pod
/// and images are, and signs and verifies what they want signed. No daemon: it is part of whatever program starts it, one at a time for a data
/// directory, and where none does, pods run without it (<see cref="Stage1Options.Metadata"/>). A pod with a network of its own is served on the
/// pod's own loopback interface, so that nobody else can ask in its place; another one at <see cref="HostEndPoint"/>, told apart by the secret in its
/// URL. Thread safe.
/// </summary>
public sealed class MetadataService : IAsyncDisposable
{
    private const string LockName = "lock";

    private readonly PodRuntime _runtime;
    private readonly MetadataServiceOptions _options;
    private readonly ILogger _logger;
    private readonly LockFile _lock;
    private readonly MetadataAnswers _answers;
    private readonly ConcurrentDictionary<string, MetadataListener> _inPods = new(StringComparer.Ordinal);
    private readonly MetadataTokens _tokens;
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _change = new(1);
    private MetadataListener? _onHost;
    private MetadataListener? _requests;
    private bool _disposed;

    private MetadataService(PodRuntime runtime, MetadataServiceOptions options, LockFile held)
    {
        _runtime = runtime;
        _options = options;
        _logger = runtime.LoggerFactory.CreateLogger("Appc.Metadata");
        _lock = held;
        _answers = new MetadataAnswers(runtime.Images, MetadataKey.Load(PodMetadata.DirectoryOf(runtime.Root)));
        _tokens = new MetadataTokens(runtime.Directories);
    }

    /// <summary>Where the service listens in the host's network; null if it does not.</summary>
    public IPEndPoint? HostEndPoint { get; private set; }

    /// <summary>UUIDs of the pods in whose own networks the service listens.</summary>
    public IReadOnlyList<string> Pods => _inPods.Keys.Order(StringComparer.Ordinal).ToArray();

    /// <summary>
    /// Begins to serve the pods of a runtime's data directory, also those that run already and had the service when they were started. Serves until it is
    /// disposed of, which must happen before the runtime is.
    /// </summary>
    /// <param name="runtime">The runtime.</param>
    /// <param name="options">How to serve; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="PodException">
    /// Another process serves the data directory (<see cref="PodFailure.WrongState"/>), the address in the host's network cannot be used, this is no Linux
    /// (<see cref="PodFailure.HostUnsuitable"/>), or the data directory cannot be written (<see cref="PodFailure.Storage"/>).
    /// </exception>
    public static Task<MetadataService> StartAsync(PodRuntime runtime, MetadataServiceOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        options ??= new MetadataServiceOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxFormBytes, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Timeout, TimeSpan.Zero, nameof(options));
        if (!OperatingSystem.IsLinux())
        {
            throw new PodException(PodFailure.HostUnsuitable, "the metadata service needs Linux, as the pods do that it serves");
        }

        return StorageErrors.ExplainAsync($"the metadata of pods in {runtime.Root} cannot be served", () => StartCoreAsync(runtime, options, cancellationToken));
    }

    /// <summary>Serves no more. Pods that run keep their URL, and are served again once the service is started again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        await _end.CancelAsync().ConfigureAwait(false);
        if (_requests is not null)
        {
            PodMetadata.Unlisten(_runtime.Root);
        }

        await StopAsync(_requests).ConfigureAwait(false);
        await StopAsync(_onHost).ConfigureAwait(false);
        await _change.WaitAsync().ConfigureAwait(false);
        foreach (string uuid in _inPods.Keys)
        {
            await ForgetAsync(uuid).ConfigureAwait(false);
        }

        _change.Release();
        _lock.Dispose();
    }

    private static async Task<MetadataService> StartCoreAsync(PodRuntime runtime, MetadataServiceOptions options, CancellationToken cancellationToken)
    {
        runtime.Directories.RequireKnownVersion();
        string directory = PodMetadata.DirectoryOf(runtime.Root);
        PodDirectories.MakeDirectory(directory);
        LockFile held = LockFile.TryExclusive(Path.Combine(directory, LockName), create: true) ?? throw new PodException(
            PodFailure.WrongState, $"another process serves the metadata of pods in {runtime.Root}", "one is enough: it serves pods that other processes start, too");
        MetadataService? service = null;
        try
        {
            service = new MetadataService(runtime, options, held);
            service.Listen();
            await service.ServeRunningAsync(cancellationToken).ConfigureAwait(false);
            return service;
        }
        catch
        {
            if (service is null)
            {
                held.Dispose();
            }
            else
            {
                await service.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    private void Listen()
    {
        if (_options.HostEndPoint is { } wanted)
        {
            Socket socket = new(wanted.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(wanted);
                socket.Listen();
                HostEndPoint = (IPEndPoint)socket.LocalEndPoint!;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new PodException(PodFailure.HostUnsuitable, $"the metadata service cannot listen at {wanted}: {e.Message}", "give another MetadataServiceOptions.HostEndPoint, or null if all pods have networks of their own", e);
            }

            _onHost = new MetadataListener(socket, _options.MaxConnections, (client, end) => ServeAsync(client, _tokens.Find, end));
        }

        // Last: who finds the socket is served.
        _requests = new MetadataListener(PodMetadata.Listen(_runtime.Root), _options.MaxConnections, AnswerStarterAsync);
        _logger.Serves(_runtime.Root, HostEndPoint?.ToString() ?? PodMetadata.Nowhere);
    }

    /// <summary>Pods that were started while another process served, or before this one was killed.</summary>
    private async Task ServeRunningAsync(CancellationToken cancellationToken)
    {
        foreach (PodLocation pod in _runtime.Directories.Enumerate().Where(p => p.Phase == PodPhase.Run))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (PodMetadata.Read(pod.Directory) is { InPod: true } && _runtime.Directories.IsLocked(pod.Uuid))
            {
                await ServePodAsync(pod.Uuid).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Answers who starts a pod.</summary>
    private async Task AnswerStarterAsync(Socket client, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        if (await PodMetadata.ReadLineAsync(client, limit.Token).ConfigureAwait(false) is not { } request)
        {
            return;
        }

        string answer = request == PodMetadata.WhereRequest ? HostEndPoint?.ToString() ?? PodMetadata.Nowhere
            : request.StartsWith(PodMetadata.ServeRequest, StringComparison.Ordinal) ? await ServePodAsync(request[PodMetadata.ServeRequest.Length..]).ConfigureAwait(false) ?? PodMetadata.Served
            : "it does not know what it is asked: its version is another one";
        await client.SendAsync(Encoding.UTF8.GetBytes(answer + "\n"), limit.Token).ConfigureAwait(false);
    }

    /// <summary>Listens in the network of a pod, once; why that cannot be done, or null.</summary>
    private async Task<string?> ServePodAsync(string uuid)
    {
        await _change.WaitAsync(_end.Token).ConfigureAwait(false);
        try
        {
            if (_inPods.ContainsKey(uuid))
            {
                return null;
            }

            PodLocation? location = PodDirectories.IsUuid(uuid) ? _runtime.Directories.Find(uuid) : null;
            Stage1ProcessId? leader = location is { Phase: PodPhase.Run } running ? PodFiles.ReadLeader(running.Directory) : null;
            using SafeFileHandle? process = leader is null ? null : ProcessIdentity.TryOpen(leader);
            if (process is null)
            {
                return "the pod does not run";
            }

            _inPods[uuid] = new MetadataListener(ListenIn(process, uuid), _options.MaxConnections, (client, end) => ServeAsync(client, token => Check(uuid, token), end));
            _logger.ListensIn(uuid);
            _ = ForgetAfterAsync(uuid, leader!);
            return null;
        }
        catch (Exception e) when (e is LaunchException or SocketException or IOException or UnauthorizedAccessException)
        {
            _logger.CannotListenIn(uuid, e);
            return e.Message.ReplaceLineEndings(" ");
        }
        finally
        {
            _change.Release();
        }
    }

    private static Socket ListenIn(SafeFileHandle process, string uuid)
    {
        // The address need not be there yet: the pod's loopback interface may still be coming up.
        const int InternetProtocol = 0;
        const int FreeBind = 15;
        Socket socket = NetworkSocket.Open(process, AddressFamily.InterNetwork, "pod " + uuid);
        try
        {
            socket.SetRawSocketOption(InternetProtocol, FreeBind, BitConverter.GetBytes(1));

            // Where the service is started again, connections of the one before may linger.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, PodMetadata.PodPort));
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket keeps the network that it is in: it must go with the pod.</summary>
    private async Task ForgetAfterAsync(string uuid, Stage1ProcessId leader)
    {
        try
        {
            await _runtime.Watcher.WaitForEndAsync(leader, _end.Token).ConfigureAwait(false);
            await ForgetAsync(uuid).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Disposing does it.
        }
    }

    private Task ForgetAsync(string uuid) => _inPods.TryRemove(uuid, out MetadataListener? listener) ? StopAsync(listener) : Task.CompletedTask;

    private static Task StopAsync(MetadataListener? listener) => listener?.DisposeAsync().AsTask() ?? Task.CompletedTask;

    /// <summary>The pod if the secret is its own: another process of its own network may be somebody else.</summary>
    private PodLocation? Check(string uuid, string token) =>
        _runtime.Directories.Find(uuid) is { Phase: PodPhase.Run } pod
        && PodMetadata.Read(pod.Directory) is { } record
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(MetadataTokens.TokenOf(record)), Encoding.ASCII.GetBytes(token))
            ? pod
            : null;

    private Task ServeAsync(Socket client, Func<string, PodLocation?> find, CancellationToken cancellationToken) =>
        new MetadataConnection(client, _options, _runtime.TimeProvider, request => Answer(request, find)).ServeAsync(cancellationToken);

    private MetadataResponse Answer(MetadataRequest request, Func<string, PodLocation?> find)
    {
        // The path is /TOKEN/acMetadata/v1/...
        int end = request.Path.IndexOf('/', 1);
        string token = end < 0 ? request.Path[1..] : request.Path[1..end];
        string path = end < 0 ? "" : request.Path[end..];
        PodLocation? pod = null;
        try
        {
            pod = find(token);
            if (pod is not { } known)
            {
                return MetadataResponse.Refuse(HttpStatusCode.Unauthorized, "no pod has this URL");
            }

            MetadataResponse response = _answers.Answer(known, path, request);
            _logger.Answered(known.Uuid, request.Method, path, response.Status);
            return response;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ManifestException)
        {
            _logger.AnswerFailed(pod?.Uuid ?? PodMetadata.Nowhere, e);
            return MetadataResponse.Refuse(HttpStatusCode.ServiceUnavailable, "try again");
        }
    }
}
