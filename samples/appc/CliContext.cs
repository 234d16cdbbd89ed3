using System.Text;
using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Cli.Output;
using Appc.Fetching;
using Appc.Images;
using Appc.Pods;
using Appc.Signing;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Cli;

/// <summary>What a command works with. Parts are made when they are first asked for.</summary>
internal sealed class CliContext : IAsyncDisposable
{
    private readonly Stream _output = CallerOutput.Open();
    private readonly StderrLoggerFactory _loggers;
    private readonly bool _fetches;
    private PodRuntime? _runtime;
    private Keystore? _keys;
    private CallerUnit? _caller;
    private OpenPgpVerifier? _verifier;

    public CliContext(GlobalOptions options, Reporter reporter, bool fetches)
    {
        Options = options;
        _fetches = fetches;
        Reporter = reporter;
        Out = new StreamWriter(_output, new UTF8Encoding(false)) { AutoFlush = true };

        // Failures come as exceptions, and what --insecure-options gives up was said already.
        _loggers = new StderrLoggerFactory(reporter, options.Debug ? LogLevel.Debug : LogLevel.None);
    }

    public GlobalOptions Options { get; }

    public Reporter Reporter { get; }

    public TextWriter Out { get; }

    public bool Json => Options.Json;

    public ILoggerFactory Loggers => _loggers;

    /// <summary>What must be proven about images.</summary>
    public TrustPolicy Trust => TrustIfSaid ?? TrustPolicy.RequireSignature;

    /// <summary>What must be proven about images, where the command line says it; else null.</summary>
    public TrustPolicy? TrustIfSaid => Options.Insecure.HasFlag(InsecureOptions.Image) ? TrustPolicy.Insecure : null;

    /// <summary>The service manager that started this program, if one did.</summary>
    public CallerUnit Caller => _caller ??= CallerUnit.FromEnvironment();

    /// <summary>What commands ask of the nspawn flavour; to be set before the runtime is used.</summary>
    public NspawnOptions Nspawn { get; } = new();

    public PodRuntime Runtime => _runtime ??= BuildRuntime();

    public ImageStore Images => Runtime.Images;

    public ImageFetcher Fetcher => Runtime.Fetcher;

    public OpenPgpVerifier Verifier => _verifier ??= new OpenPgpVerifier(Keys, null, Loggers);

    /// <summary>The keys that are trusted: the administrator's, which commands change, and the vendor's.</summary>
    public Keystore Keys => _keys ??= CreateKeystore();

    public void WriteJson(Action<Utf8JsonWriter> write) => JsonText.Write(_output, write);

    /// <summary>Writes a document on one line, for results that come one by one.</summary>
    public void WriteJsonLine(Action<Utf8JsonWriter> write) => JsonText.WriteLine(_output, write);

    /// <summary>Does the same with each of several things; a failure does not keep the others from being done.</summary>
    public async Task<int> ForEachAsync(IReadOnlyList<string> items, Func<string, Task> action)
    {
        int exitCode = ExitCodes.Success;
        foreach (string item in items)
        {
            try
            {
                await action(item);
            }
            catch (AppcException exception) when (items.Count > 1)
            {
                exitCode = Failure.Report(exception, string.Empty, Options.Debug, Reporter);
            }
        }

        return exitCode;
    }

    /// <summary>How discovery and downloads work.</summary>
    /// <param name="credentials">
    /// Whether the files of <c>auth.d</c> are read. A faulty one must not stop a command that makes no requests.
    /// </param>
    public ImageFetcherOptions CreateFetcherOptions(bool credentials)
    {
        var options = new ImageFetcherOptions
        {
            Credentials = credentials ? FetchCredentials.Load(Path.Combine(Options.SystemConfig, "auth.d"), Path.Combine(Options.Config, "auth.d")) : null,
            AllowInvalidTls = Options.Insecure.HasFlag(InsecureOptions.Tls),
            CertificateAuthorityFile = Options.CaFile,
            LoggerFactory = Loggers,
        };
        foreach (string mapping in Options.ConnectTo)
        {
            (string from, string to) = Values.Pair(mapping, "--connect-to");
            options.ConnectTo[from] = to;
        }

        return options;
    }

    public async ValueTask DisposeAsync()
    {
        if (_runtime is not null)
        {
            await _runtime.DisposeAsync();
        }

        await Out.DisposeAsync();
        _loggers.Dispose();
    }

    private Keystore CreateKeystore()
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(Path.Combine(Options.Config, "trustedkeys"));
        options.Directories.Add(Path.Combine(Options.SystemConfig, "trustedkeys"));
        return new Keystore(options, Loggers);
    }

    private PodRuntime BuildRuntime() => new PodRuntimeBuilder(Options.Root)
        .UseLogging(Loggers)
        .UseFetcherOptions(CreateFetcherOptions(_fetches))
        .UseVerifier(Verifier)
        .UseNspawn(Nspawn)
        .UseFly()
        .Build();
}
