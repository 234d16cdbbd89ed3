using Appc.Fetching;
using Appc.Images;
using Appc.Manifests;
using Appc.Stage1;
using Appc.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Pods;

/// <summary>
/// Puts a runtime together: where its data lies, who checks signatures, which stage1 flavours it knows.
/// Appc.Signing and Appc.Stage1 add <c>UseOpenPgp</c>, <c>UseNspawn</c> and <c>UseFly</c>.
/// </summary>
public sealed class PodRuntimeBuilder
{
    private readonly string _root;
    private readonly List<Func<PodRuntimeBuilder, IStage1>> _stage1s = [];
    private Func<PodRuntimeBuilder, ISignatureVerifier>? _verifier;
    private ImageFetcherOptions? _fetcherOptions;
    private TrustPolicy _trust = TrustPolicy.RequireSignature;

    /// <summary>The default data directory, <c>/var/lib/appc</c>.</summary>
    public const string DefaultRoot = "/var/lib/appc";

    /// <summary>Begins a runtime whose data lies in a directory; it is made if it is missing.</summary>
    public PodRuntimeBuilder(string root = DefaultRoot)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        _root = Path.GetFullPath(root);
    }

    /// <summary>Where log messages go, for this runtime and all parts that are added to it.</summary>
    public ILoggerFactory LoggerFactory { get; private set; } = NullLoggerFactory.Instance;

    /// <summary>The clock, for this runtime and all parts that are added to it.</summary>
    public TimeProvider TimeProvider { get; private set; } = TimeProvider.System;

    /// <summary>Sends log messages to a host's loggers.</summary>
    public PodRuntimeBuilder UseLogging(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        LoggerFactory = loggerFactory;
        return this;
    }

    /// <summary>Uses another clock.</summary>
    public PodRuntimeBuilder UseTimeProvider(TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        TimeProvider = timeProvider;
        return this;
    }

    /// <summary>Uses a verifier of signatures. Without one, only images under <see cref="TrustPolicy.Insecure"/> are stored.</summary>
    public PodRuntimeBuilder UseVerifier(ISignatureVerifier verifier)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        _verifier = _ => verifier;
        return this;
    }

    /// <summary>Uses a verifier that is made when the runtime is built, with its loggers and clock.</summary>
    public PodRuntimeBuilder UseVerifier(Func<PodRuntimeBuilder, ISignatureVerifier> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _verifier = factory;
        return this;
    }

    /// <summary>
    /// Sets what must be proven about images wherever a call does not say it: when they are fetched or imported, and
    /// when a pod is prepared.
    /// </summary>
    /// <param name="policy">The policy; <see cref="TrustPolicy.RequireSignature"/> if this method is not called.</param>
    public PodRuntimeBuilder UseTrustPolicy(TrustPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _trust = policy;
        return this;
    }

    /// <summary>Adds a stage1 flavour. The first one that is added is the default.</summary>
    public PodRuntimeBuilder UseStage1(IStage1 stage1)
    {
        ArgumentNullException.ThrowIfNull(stage1);
        _stage1s.Add(_ => stage1);
        return this;
    }

    /// <summary>Adds a stage1 flavour that is made when the runtime is built, with its loggers and clock.</summary>
    public PodRuntimeBuilder UseStage1(Func<PodRuntimeBuilder, IStage1> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _stage1s.Add(factory);
        return this;
    }

    /// <summary>Sets how images are fetched.</summary>
    public PodRuntimeBuilder UseFetcherOptions(ImageFetcherOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _fetcherOptions = options;
        return this;
    }

    /// <summary>Makes the runtime. Writes nothing yet.</summary>
    public PodRuntime Build()
    {
        ISignatureVerifier? verifier = _verifier?.Invoke(this);
        var pods = new PodDirectories(_root);
        var images = new ImageStore(_root, new ImageStoreOptions
        {
            Verifier = verifier,
            Trust = _trust,
            FindUser = id => FindUser(pods, id),
            LoggerFactory = LoggerFactory,
            TimeProvider = TimeProvider,
        });
        ImageFetcherOptions fetcherOptions = _fetcherOptions ?? new ImageFetcherOptions { LoggerFactory = LoggerFactory, TimeProvider = TimeProvider };
        return new PodRuntime(
            _root,
            _stage1s.Select(make => make(this)).ToArray(),
            images,
            new ImageFetcher(images, verifier, fetcherOptions),
            TimeProvider,
            LoggerFactory);
    }

    /// <summary>The pod that needs an image; null if none does. Pods that have ended need nothing any more.</summary>
    private static string? FindUser(PodDirectories pods, ImageId image)
    {
        string id = image.ToString();
        foreach (PodLocation location in pods.Enumerate().Where(p => p.Phase is PodPhase.Prepare or PodPhase.Prepared or PodPhase.Run))
        {
            PodState state = PodStatusReader.StateOf(pods, location);
            if (state is not (PodState.Exited or PodState.AbortedPrepare)
                && PodFiles.TryReadRecord(location.Directory) is { } record
                && record.Apps.Any(a => a.ImageIds.Contains(id)))
            {
                return "pod " + location.Uuid;
            }
        }

        return null;
    }
}
