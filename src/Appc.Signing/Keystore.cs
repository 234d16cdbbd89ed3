using Appc.Manifests;
using Appc.Signing.Packets;
using Appc.Signing.Store;
using Appc.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Appc.Signing;

/// <summary>
/// The public keys that a host trusts, each for every name or for the names below a prefix. The files are the
/// keystore: they are read anew for each call, in rkt's layout (<c>root.d/FINGERPRINT</c> and
/// <c>prefix.d/NAME/FINGERPRINT</c>), so that they can be managed by hand, by packages and by other programs.
/// </summary>
/// <remarks>
/// For a name and a key the most specific scope that mentions the key decides, and in it the first directory
/// that does. An empty file mentions a key in order to take trust away. Thread safe.
/// </remarks>
public sealed class Keystore
{
    private readonly KeystoreOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly KnownKeys _known = new();

    /// <summary>Opens a keystore; reads nothing yet.</summary>
    /// <param name="options">Where keys are kept; null for the host's usual directories.</param>
    /// <param name="loggerFactory">Where skipped files and changes are logged.</param>
    /// <param name="timeProvider">The clock by which keys expire; null for the system's.</param>
    /// <exception cref="ArgumentException">No directory is given.</exception>
    public Keystore(KeystoreOptions? options = null, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        _options = options ?? new KeystoreOptions();
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Appc.Signing.Keystore");
        _time = timeProvider ?? TimeProvider.System;
        if (_options.Directories.Count == 0)
        {
            throw new ArgumentException("a keystore needs at least one directory", nameof(options));
        }

        Directories = _options.Directories.Select(Path.GetFullPath).ToArray();
    }

    /// <summary>The keystore's directories, the most important one first; keys are written to that one.</summary>
    public IReadOnlyList<string> Directories { get; }

    /// <summary>Reads public keys without trusting them, so that a person can judge their fingerprints first.</summary>
    /// <param name="source">One or several keys, armored or binary.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="TrustException">They cannot be read, are too large, or one is a secret key.</exception>
    public Task<IReadOnlyList<OpenPgpKey>> ReadKeysAsync(Stream source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return ReadNamedKeysAsync(source, source is FileStream file ? $"key file {CleanText.From(file.Name)}" : "key file", cancellationToken);
    }

    internal async Task<IReadOnlyList<OpenPgpKey>> ReadNamedKeysAsync(Stream source, string name, CancellationToken cancellationToken)
    {
        byte[]? content = await CappedReader.ReadAsync(source, _options.KeyFileBytes, cancellationToken).ConfigureAwait(false);
        if (content is null)
        {
            throw new TrustException(TrustFailure.Keystore, $"{name} cannot be read: it is larger than {_options.KeyFileBytes} bytes");
        }

        try
        {
            DateTimeOffset now = _time.GetUtcNow();
            return Certificate.ReadAll(content).DistinctBy(c => c.Fingerprint).Select(c => new OpenPgpKey(c, _options.Policy, now)).ToArray();
        }
        catch (MalformedPacketException e)
        {
            throw new TrustException(
                TrustFailure.Keystore, $"{name} cannot be read: {e.Message}", "give a public key as 'gpg --export --armor KEY' writes it");
        }
    }

    /// <summary>Trusts every key of a stream, without asking. To have a person judge first, read and add in two steps.</summary>
    /// <param name="source">One or several keys, armored or binary.</param>
    /// <param name="prefix">The names that they are trusted for: this one and those below it. Null for every name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The keys that were added.</returns>
    /// <exception cref="TrustException">They cannot be read, or the keystore cannot be written.</exception>
    public async Task<IReadOnlyList<OpenPgpKey>> AddAsync(Stream source, AcIdentifier? prefix, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<OpenPgpKey> keys = await ReadKeysAsync(source, cancellationToken).ConfigureAwait(false);
        foreach (OpenPgpKey key in keys)
        {
            await AddAsync(key, prefix, cancellationToken).ConfigureAwait(false);
        }

        return keys;
    }

    /// <summary>Trusts every key of a file, without asking.</summary>
    /// <param name="path">One or several keys, armored or binary.</param>
    /// <param name="prefix">The names that they are trusted for: this one and those below it. Null for every name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The keys that were added.</returns>
    /// <exception cref="TrustException">They cannot be read, or the keystore cannot be written.</exception>
    public async Task<IReadOnlyList<OpenPgpKey>> AddFileAsync(string path, AcIdentifier? prefix, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        FileStream source;
        try
        {
            source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096, FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrustException(TrustFailure.Keystore, $"key file {CleanText.From(path)} cannot be read: {CleanText.From(e.Message)}", null, e);
        }

        await using (source.ConfigureAwait(false))
        {
            return await AddAsync(source, prefix, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Trusts one key: exactly the bytes that were read and shown before.</summary>
    /// <param name="key">The key.</param>
    /// <param name="prefix">The names that it is trusted for: this one and those below it. Null for every name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The new entry.</returns>
    /// <exception cref="TrustException">
    /// The keystore cannot be written, or holds this key revoked: an older copy must not bring it back to life.
    /// </exception>
    public async Task<TrustedKey> AddAsync(OpenPgpKey key, AcIdentifier? prefix, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        string scope = prefix?.ToString() ?? "";
        string path = PathOf(0, scope, key.Fingerprint);
        if (!key.IsRevoked)
        {
            KeystoreSnapshot snapshot = Load(cancellationToken);
            KeystoreEntry? revoked = snapshot.Records.FirstOrDefault(r => r.Fingerprint == key.Fingerprint)?.All
                .FirstOrDefault(e => e.Certificate is not null && new OpenPgpKey(e.Certificate, _options.Policy, _time.GetUtcNow()).IsRevoked);
            if (revoked is not null)
            {
                throw new TrustException(
                    TrustFailure.Keystore, $"key {key.Fingerprint} was not added: {CleanText.From(revoked.Path)} says that it is revoked, and the new copy does not");
            }
        }

        await WriteAsync(path, System.Text.Encoding.ASCII.GetBytes(key.ToArmor()), cancellationToken).ConfigureAwait(false);
        _logger.KeyAdded(key.Fingerprint, scope, path);
        if (key.Problem is not null)
        {
            _logger.UnusableKeyAdded(key.Fingerprint, key.Problem);
        }

        return new TrustedKey(key.Fingerprint, scope, path, key);
    }

    /// <summary>All entries that count, with what they say of each key today, and what was skipped.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async Task<KeystoreListing> ListAsync(CancellationToken cancellationToken = default)
    {
        KeystoreSnapshot snapshot = await Task.Run(() => Load(cancellationToken), cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _time.GetUtcNow();
        IEnumerable<TrustedKey> keys =
            from record in snapshot.Records
            from entry in record.Effective
            where entry.Problem is null
            orderby entry.Scope, entry.Fingerprint
            select new TrustedKey(
                entry.Fingerprint, entry.Scope, entry.Path, entry.Certificate is { } c ? new OpenPgpKey(c, _options.Policy, now) : null);
        return new KeystoreListing(keys.ToArray(), snapshot.Problems);
    }

    /// <summary>
    /// Takes the trust of a key away, for one scope. Where another directory than the first gives it, that
    /// directory is left alone and an empty file in the first one masks it.
    /// </summary>
    /// <param name="fingerprint">Fingerprint of the primary key; case and blanks do not matter.</param>
    /// <param name="prefix">The scope, as it was given to <see cref="AddAsync(OpenPgpKey, AcIdentifier?, CancellationToken)"/>; null for every name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="TrustException">The key is not trusted in this scope, or the keystore cannot be written.</exception>
    public async Task<KeyRemoval> RemoveAsync(string fingerprint, AcIdentifier? prefix, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(fingerprint);
        string scope = prefix?.ToString() ?? "";
        string name = Fingerprints.Normalize(fingerprint)
            ?? throw new TrustException(TrustFailure.Keystore, $"'{CleanText.From(fingerprint)}' is not a fingerprint: 40 or 64 hex digits");
        KeystoreSnapshot snapshot = Load(cancellationToken);
        KeyRecord? record = snapshot.Records.FirstOrDefault(r => r.Fingerprint == name);
        List<KeystoreEntry> entries = record?.All.Where(e => e.Scope == scope).ToList() ?? [];
        if (entries.Count == 0 || (entries[0].Certificate is null && entries[0].Problem is null))
        {
            string others = record?.Scopes.Count > 0 ? $"; it is for {DescribeScopes(record.Scopes)}" : "";
            throw new TrustException(
                TrustFailure.Keystore, $"key {name} is not trusted for {DescribeScope(scope)}{others}", "see 'appc trust list'");
        }

        string path = PathOf(0, scope, name);
        bool mask = entries.Any(e => e.DirectoryIndex > 0 && (e.Certificate is not null || e.Problem is not null));
        if (mask)
        {
            await WriteAsync(path, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            Delete(path);
        }

        _logger.KeyRemoved(name, scope, path);
        return new KeyRemoval(path, mask);
    }

    /// <summary>Says of every key whether a signature by it would be accepted for a name today, and why.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async Task<TrustExplanation> ExplainAsync(AcIdentifier name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        KeystoreSnapshot snapshot = await Task.Run(() => Load(cancellationToken), cancellationToken).ConfigureAwait(false);
        var explainer = new TrustExplainer(_options.Policy, _time.GetUtcNow());
        return new TrustExplanation(name, explainer.Explain(snapshot, name), snapshot.Problems);
    }

    internal KeystoreSnapshot Load(CancellationToken cancellationToken)
    {
        KeystoreSnapshot snapshot = new KeystoreReader(Directories, _options.KeyFileBytes, _options.Entries, _known).Read(cancellationToken);
        foreach (KeystoreProblem problem in snapshot.Problems)
        {
            _logger.EntrySkipped(problem.Path, problem.Reason);
        }

        return snapshot;
    }

    internal static string DescribeScope(string scope) => scope.Length == 0 ? "every name" : scope;

    internal static string DescribeScopes(IReadOnlyList<string> scopes) =>
        string.Join(", ", scopes.Take(4).Select(DescribeScope)) + (scopes.Count > 4 ? ", ..." : "");

    private string PathOf(int directory, string scope, string fingerprint) => scope.Length == 0
        ? Path.Combine(Directories[directory], KeystoreReader.RootScope, fingerprint)
        : Path.Combine(Directories[directory], KeystoreReader.PrefixScopes, scope, fingerprint);

    private static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            AtomicFile.CreateDirectory(Path.GetDirectoryName(path)!);
            await AtomicFile.WriteAsync(path, content, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e);
        }
    }

    /// <summary>Removes a key file, and the directories of its scope as far as they are empty then.</summary>
    private void Delete(string path)
    {
        try
        {
            AtomicFile.Delete(path);
            string top = Path.Combine(Directories[0], KeystoreReader.PrefixScopes) + Path.DirectorySeparatorChar;
            for (string? directory = Path.GetDirectoryName(path);
                 directory is not null && directory.StartsWith(top, StringComparison.Ordinal) && !Directory.EnumerateFileSystemEntries(directory).Any();
                 directory = Path.GetDirectoryName(directory))
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e);
        }
    }

    private static TrustException CannotWrite(string path, Exception e) =>
        new(TrustFailure.Keystore, $"keystore file {CleanText.From(path)} cannot be written: {CleanText.From(e.Message)}", "run as root, or use a keystore directory of your own", e);
}
