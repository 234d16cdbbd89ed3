using System.Text;
using Appc.Fetching;
using Appc.Manifests;
using Appc.Signing.Tests.Support;
using Appc.Trust;
using Microsoft.Extensions.Logging;

namespace Appc.Signing.Tests;

/// <summary>The keystore's files: what is written, read, masked, reported and skipped.</summary>
public sealed class KeystoreTests(GpgKeys keys) : IDisposable
{
    private static readonly AcIdentifier Foo = AcIdentifier.Parse("example.com/foo");
    private static readonly byte[] Image = "an image"u8.ToArray();

    private readonly Gpg _gpg = keys.Gpg;
    private readonly TempDirectory _directory = new();
    private readonly LogRecorder _log = new();

    private string Local => _directory["etc"];

    private string Vendor => _directory["usr"];

    [Fact]
    public async Task Key_is_written_in_rkts_layout_readable_by_all()
    {
        Keystore keystore = New();
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo/bar");
        await keystore.TrustAsync(Encoding.ASCII.GetBytes(_gpg.Text("--armor", "--export", "=rsa2048 <rsa2048@example.com>")), null);

        string ed25519 = _gpg.Fingerprints("ed25519")[0];
        string rsa = _gpg.Fingerprints("rsa2048")[0];
        string[] files = [.. Directory.GetFiles(Local, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Local, f)).Order()];
        Assert.Equal([$"prefix.d/example.com/foo/bar/{ed25519}", $"root.d/{rsa}"], files);
        Assert.All(files, f =>
        {
            Assert.Equal("644", Mode(Path.Combine(Local, f)));
            Assert.StartsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", File.ReadAllText(Path.Combine(Local, f)), StringComparison.Ordinal);
        });
        Assert.All(Directory.GetDirectories(Local, "*", SearchOption.AllDirectories), d => Assert.Equal("755", Mode(d)));

        static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);
    }

    [Fact]
    public async Task Written_file_is_a_key_for_gpg()
    {
        await New().TrustAsync(_gpg.Export("subkey"), null);
        byte[] written = await File.ReadAllBytesAsync(Path.Combine(Local, "root.d", _gpg.Fingerprints("subkey")[0]));
        Assert.True(Gpg.Verifies(written, _gpg.Sign("subkey", Image), Image));
    }

    [Fact]
    public async Task Every_key_of_a_file_is_added_to_a_file_of_its_own()
    {
        IReadOnlyList<OpenPgpKey> added = await New().AddFileAsync(
            _directory.Write("keys", [.. _gpg.Export("ed25519"), .. _gpg.Export("rsa2048")]), Foo);
        Assert.Equal([_gpg.Fingerprints("ed25519")[0], _gpg.Fingerprints("rsa2048")[0]], added.Select(k => k.Fingerprint));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(Local, "prefix.d/example.com/foo")).Length);
    }

    [Fact]
    public async Task Keys_are_shown_before_anything_is_written_and_the_shown_bytes_are_added()
    {
        Keystore keystore = New();
        using var stream = new MemoryStream(_gpg.Export("subkey"));
        OpenPgpKey key = Assert.Single(await keystore.ReadKeysAsync(stream));

        Assert.Equal(_gpg.Fingerprints("subkey")[0], key.Fingerprint);
        Assert.Equal("RSA 2048", key.Algorithm);
        Assert.Equal(["subkey <subkey@example.com>"], key.UserIds);
        Assert.Equal(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), key.Created);
        Assert.Null(key.Expires);
        Assert.Null(key.Problem);
        Assert.False(key.IsRevoked);
        Assert.Equal("Ed25519", Assert.Single(key.Subkeys).Algorithm);
        Assert.Equal(key.Fingerprint, key.FormatFingerprint().Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant());
        Assert.False(Directory.Exists(Local));

        TrustedKey entry = await keystore.AddAsync(key, Foo);
        Assert.Equal("example.com/foo", entry.Scope);
        Assert.Equal(key.ToArmor(), await File.ReadAllTextAsync(entry.Path));
    }

    [Fact]
    public async Task Listing_tells_the_state_of_each_key()
    {
        Keystore keystore = New();
        _ = RevokedKeys.Signature(Image, out byte[] revoked);
        foreach (byte[] ring in (byte[][])[_gpg.Export("ed25519"), _gpg.Export("expired"), _gpg.Export("encrypts"), _gpg.Export("rsa1024"), revoked])
        {
            await keystore.TrustAsync(ring, "example.com/foo");
        }

        Dictionary<string, OpenPgpKey> listed = (await keystore.ListAsync()).Keys.ToDictionary(k => k.Key!.UserIds[0].Split(' ')[0], k => k.Key!);
        Assert.Equal(5, listed.Count);
        Assert.Null(listed["ed25519"].Problem);
        Assert.Contains("expired on 2020-12-31", listed["expired"].Problem, StringComparison.Ordinal);
        Assert.Equal(2020, listed["expired"].Expires?.Year);
        Assert.Contains("not meant for signing", listed["encrypts"].Problem, StringComparison.Ordinal);
        Assert.Contains("too weak", listed["rsa1024"].Problem, StringComparison.Ordinal);
        Assert.True(listed["revoked"].IsRevoked);
        Assert.Contains("revoked by its owner", listed["revoked"].RevocationReason, StringComparison.Ordinal);
        Assert.Equal(4, _log.Entries.Count(e => e.Id == 4003));
    }

    [Fact]
    public async Task Removing_deletes_the_own_file_and_masks_the_vendors()
    {
        Keystore keystore = New(Local, Vendor);
        string fingerprint = _gpg.Fingerprints("ed25519")[0];
        string own = Path.Combine(Local, "prefix.d/example.com/foo", fingerprint);
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo");

        Assert.Equal(new KeyRemoval(own, false), await keystore.RemoveAsync(fingerprint.ToUpperInvariant(), Foo));
        Assert.False(Directory.Exists(Path.Combine(Local, "prefix.d/example.com")));
        Assert.Equal(TrustFailure.UnknownKey, await RefusalAsync(keystore, "example.com/foo"));

        await New(Vendor).TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        Assert.Null(await RefusalAsync(keystore, "example.com/foo"));
        Assert.Equal(new KeyRemoval(own, true), await keystore.RemoveAsync("0x" + fingerprint, Foo));
        Assert.Empty(await File.ReadAllBytesAsync(own));
        Assert.True(File.Exists(Path.Combine(Vendor, "prefix.d/example.com/foo", fingerprint)));
        Assert.Equal(TrustFailure.WrongPrefix, await RefusalAsync(keystore, "example.com/foo"));
        Assert.True(Assert.Single((await keystore.ListAsync()).Keys).IsMask);

        TrustException again = await Assert.ThrowsAsync<TrustException>(() => keystore.RemoveAsync(fingerprint, Foo));
        Assert.Equal(TrustFailure.Keystore, again.Failure);
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        Assert.Null(await RefusalAsync(keystore, "example.com/foo"));
    }

    [Fact]
    public async Task Removing_what_is_not_there_says_where_the_key_is_trusted()
    {
        Keystore keystore = New();
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => keystore.RemoveAsync(_gpg.Fingerprints("ed25519")[0], null));
        Assert.Contains("example.com/foo", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<TrustException>(() => keystore.RemoveAsync("../../etc/passwd", null));
        Assert.Contains("not a fingerprint", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Where the key lies, where it is masked, and for which names it is trusted then.</summary>
    [Theory]
    [InlineData("usr:", "", "example.com example.com/foo other.org", "")]
    [InlineData("usr:", "etc:", "", "example.com example.com/foo")]
    [InlineData("usr:", "etc:example.com/foo", "example.com example.com/foobar other.org", "example.com/foo example.com/foo/bar")]
    [InlineData("usr:example.com/foo", "etc:", "example.com/foo example.com/foo/bar", "example.com example.com/foobar")]
    [InlineData("usr:example.com/foo", "etc:example.com", "example.com/foo", "example.com")]
    [InlineData("usr:example.com", "etc:example.com/foo", "example.com example.com/bar", "example.com/foo")]
    [InlineData("etc:example.com", "usr:example.com", "example.com example.com/bar", "other.org")]
    public async Task Most_specific_scope_decides_and_in_it_the_first_directory(string key, string mask, string trusted, string refused)
    {
        string fingerprint = _gpg.Fingerprints("ed25519")[0];
        Keystore keystore = New(Local, Vendor);
        Place(key, (await ArmorAsync("ed25519")));
        if (mask.Length > 0)
        {
            Place(mask, []);
        }

        // Whether the name is known before or only from the manifest must not make a difference.
        byte[] signature = _gpg.Sign("ed25519", Image);
        SignatureVerdict? anyName = await TryVerifyAsync(keystore, signature);
        foreach (string name in trusted.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.Null((await new OpenPgpVerifier(keystore).RefusalAsync(Image, signature, name))?.Message);
            Assert.NotNull(anyName?.SignerFor(AcIdentifier.Parse(name)));
        }

        foreach (string name in refused.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.Equal(TrustFailure.WrongPrefix, (await new OpenPgpVerifier(keystore).RefusalAsync(Image, signature, name))?.Failure);
            Assert.Null(anyName?.SignerFor(AcIdentifier.Parse(name)));
        }

        void Place(string where, byte[] content)
        {
            string[] parts = where.Split(':');
            string scope = parts[1].Length == 0 ? "root.d" : "prefix.d/" + parts[1];
            _directory.Write($"{parts[0]}/{scope}/{fingerprint}", content);
        }
    }

    [Fact]
    public async Task Broken_and_stray_files_are_reported_and_harm_no_other_key()
    {
        Keystore keystore = New(Local, Vendor);
        string fingerprint = _gpg.Fingerprints("rsa2048")[0];
        byte[] rsa = await ArmorAsync("rsa2048");
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        string[] strays =
        [
            _directory.Write("etc/README", "hello"u8.ToArray()),
            _directory.Write("etc/root.d/README.swp", "x"u8.ToArray()),
            _directory.Write("etc/root.d/" + fingerprint.ToUpperInvariant(), rsa),
            _directory.Write("etc/root.d/" + new string('a', 40), rsa),
            _directory.Write("etc/root.d/" + new string('b', 40), "no key"u8.ToArray()),
            _directory.Write("etc/root.d/" + new string('c', 40), new byte[(1 << 20) + 1]),
            _directory.Write("etc/root.d/" + new string('d', 40), _gpg.ExportSecret("rsa2048")),
            _directory.Write("etc/prefix.d/stray", "x"u8.ToArray()),
            _directory.Write("etc/prefix.d/example.com/foo/te\u001b[31mrminal", "x"u8.ToArray()),
        ];
        Directory.CreateDirectory(_directory["etc/root.d/directory"]);
        Directory.CreateDirectory(_directory["etc/prefix.d/Not A Name"]);
        Directory.CreateSymbolicLink(_directory["etc/prefix.d/loop"], _directory["etc/prefix.d"]);
        File.CreateSymbolicLink(_directory["etc/root.d/" + new string('e', 40)], "/does/not/exist");
        string open = _directory.Write("etc/root.d/" + fingerprint, rsa);
        File.SetUnixFileMode(open, (UnixFileMode)Convert.ToInt32("666", 8));

        Assert.Null(await RefusalAsync(keystore, "example.com/foo"));
        KeystoreListing listing = await keystore.ListAsync();
        Assert.Equal(_gpg.Fingerprints("ed25519")[0], Assert.Single(listing.Keys).Fingerprint);
        Assert.Equal(strays.Length + 5, listing.Problems.Count);
        Assert.All(listing.Problems, p => Assert.DoesNotContain(p.Path + p.Reason, char.IsControl));
        Assert.Contains(listing.Problems, p => p.Path == open && p.Reason.Contains("everybody may write", StringComparison.Ordinal));
        Assert.Contains(listing.Problems, p => p.Path.EndsWith("te?[31mrminal", StringComparison.Ordinal));
        Assert.All(listing.Problems, p => Assert.Contains(_log.Entries, e => e is { Level: LogLevel.Warning, Id: 4001 } && e.Text.Contains(p.Path, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Pipe_in_the_keystore_is_not_opened()
    {
        await New().TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", _directory["etc/prefix.d/example.com/foo/" + new string('f', 40)]))
        {
            await mkfifo.WaitForExitAsync();
        }

        Assert.Null(await RefusalAsync(New(), "example.com/foo"));
    }

    [Fact]
    public async Task Broken_file_takes_no_part_in_trust_but_hides_the_vendors()
    {
        // What cannot be read may have been a revoked copy; it must not bring the older one back.
        await New(Vendor).TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        _directory.Write("etc/prefix.d/example.com/foo/" + _gpg.Fingerprints("ed25519")[0], "damaged"u8.ToArray());
        Assert.Equal(TrustFailure.WrongPrefix, await RefusalAsync(New(Local, Vendor), "example.com/foo"));
    }

    [Fact]
    public async Task Directory_that_everybody_may_write_to_gives_no_trust()
    {
        await New().TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        Assert.Null(await RefusalAsync(New(), "example.com/foo"));
        File.SetUnixFileMode(_directory["etc/prefix.d/example.com"], (UnixFileMode)Convert.ToInt32("777", 8));
        Assert.Equal(TrustFailure.UnknownKey, await RefusalAsync(New(), "example.com/foo"));
        Assert.Single((await New().ListAsync()).Problems);
    }

    [Fact]
    public async Task Linked_key_file_is_read_and_several_keys_in_one_file_trust_only_the_named_one()
    {
        string fingerprint = _gpg.Fingerprints("ed25519")[0];
        _directory.Write("real", [.. _gpg.Export("rsa2048"), .. _gpg.Export("ed25519")]);
        Directory.CreateDirectory(_directory["etc/root.d"]);
        File.CreateSymbolicLink(_directory["etc/root.d/" + fingerprint], _directory["real"]);

        KeystoreListing listing = await New().ListAsync();
        Assert.Equal(fingerprint, Assert.Single(listing.Keys).Fingerprint);
        Assert.Contains("only the one", Assert.Single(listing.Problems).Reason, StringComparison.Ordinal);
        Assert.Null(await RefusalAsync(New(), "example.com/foo"));
        Assert.Equal(TrustFailure.UnknownKey, (await new OpenPgpVerifier(New()).RefusalAsync(Image, _gpg.Sign("rsa2048", Image), "a"))?.Failure);
    }

    [Fact]
    public async Task Revoked_key_does_not_come_back_by_adding_an_older_copy()
    {
        byte[] signature = RevokedKeys.Signature(Image, out byte[] revoked, out byte[] sound);
        Keystore keystore = New();
        await keystore.TrustAsync(sound, null);
        Assert.Null((await new OpenPgpVerifier(keystore).RefusalAsync(Image, signature, "a"))?.Message);
        await keystore.TrustAsync(revoked, "example.com/foo");

        // A revocation that any copy carries counts for all scopes.
        Assert.Equal(TrustFailure.KeyNotUsable, (await new OpenPgpVerifier(keystore).RefusalAsync(Image, signature, "a"))?.Failure);
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => keystore.TrustAsync(sound, "example.com/foo"));
        Assert.Contains("revoked", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explanation_answers_for_good_unknown_expired_and_neighbouring_names()
    {
        Keystore keystore = New(Local, Vendor);
        await keystore.TrustAsync(_gpg.Export("ed25519"), "example.com/foo");
        await keystore.TrustAsync(_gpg.Export("rsa2048"), null);
        await keystore.TrustAsync(_gpg.Export("expired"), "example.com/foo");
        await keystore.TrustAsync(_gpg.Export("other"), "example.com/foobar");
        _directory.Write($"etc/prefix.d/masked.org/{_gpg.Fingerprints("rsa2048")[0]}", []);

        TrustExplanation good = await keystore.ExplainAsync(AcIdentifier.Parse("example.com/foo/app"));
        Assert.True(good.AnyAccepted);
        Assert.Equal(
            ["ed25519 True example.com/foo: it is trusted for example.com/foo", "rsa2048 True : it is trusted for every name",
             "expired False example.com/foo: it expired on 2020-12-31", "other False -: it is trusted for example.com/foobar, which does not cover example.com/foo/app"],
            good.Keys.Select(k => $"{k.UserId!.Split(' ')[0]} {k.Accepted} {k.Scope ?? "-"}: {k.Reason}"));

        TrustExplanation masked = await keystore.ExplainAsync(AcIdentifier.Parse("masked.org/app"));
        Assert.False(masked.AnyAccepted);
        Assert.Contains(masked.Keys, k => k.Scope == "masked.org" && k.Reason.Contains("masks", StringComparison.Ordinal));

        TrustExplanation unknown = await New(_directory["empty"]).ExplainAsync(AcIdentifier.Parse("nobody.org"));
        Assert.Empty(unknown.Keys);
        Assert.False(unknown.AnyAccepted);
    }

    [Fact]
    public async Task Secret_keys_garbage_and_giants_are_not_added()
    {
        foreach (byte[] content in (byte[][])[_gpg.ExportSecret("ed25519"), [], "garbage"u8.ToArray(), new byte[2 << 20], _gpg.Export("rsa2048")[..100], _gpg.Sign("rsa2048", Image)])
        {
            TrustException e = await Assert.ThrowsAsync<TrustException>(() => New().TrustAsync(content, null));
            Assert.Equal(TrustFailure.Keystore, e.Failure);
        }

        Assert.False(Directory.Exists(Local));
        TrustException missing = await Assert.ThrowsAsync<TrustException>(() => New().AddFileAsync("/does/not/exist", null));
        Assert.Contains("/does/not/exist", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keystore_that_cannot_be_written_says_so()
    {
        _directory.Write("file", []);
        TrustException e = await Assert.ThrowsAsync<TrustException>(() => New(_directory["file"]).TrustAsync(_gpg.Export("ed25519"), null));
        Assert.Equal(TrustFailure.Keystore, e.Failure);
        Assert.NotNull(e.Hint);
    }

    [Fact]
    public async Task Keys_that_a_domain_offers_are_shown_with_their_address_and_trusted_by_a_second_call()
    {
        Forge key = Forge.NewKey();
        using var server = new OfferingHandler(new Dictionary<string, byte[]>
        {
            ["https://example.com/team"] = """<meta name="ac-discovery-pubkeys" content="example.com https://example.com/a https://example.com/b"><meta name="ac-discovery-pubkeys" content="example.com https://example.com/b">"""u8.ToArray(),
            ["https://example.com/a"] = key.Certificate(),
            ["https://example.com/b"] = [.. key.Certificate(), .. Forge.NewKey().Certificate()],
            ["https://example.com/bad"] = "no key"u8.ToArray(),
        });
        using var client = new ImageDiscovery(new ImageFetcherOptions { HttpHandler = server, MaxRetries = 0 });
        Keystore keystore = New();
        var discovery = new KeyDiscovery(keystore, client);
        IReadOnlyList<OfferedKey> offered = await discovery.DiscoverAsync(AcIdentifier.Parse("example.com/team/app"));
        Assert.Equal(key.Key.Fingerprint, offered[0].Key.Fingerprint);
        Assert.Empty((await keystore.ListAsync()).Keys);
        await keystore.AddAsync(offered[0].Key, AcIdentifier.Parse("example.com/team"));
        Assert.Equal(key.Key.Fingerprint, Assert.Single((await keystore.ListAsync()).Keys).Fingerprint);

        OfferedKey one = Assert.Single(await discovery.ReadUrlAsync("https://example.com/a"));
        Assert.Equal((key.Key.Fingerprint, "https://example.com/a"), (one.Key.Fingerprint, one.Source));
        Assert.Contains("https://example.com/bad", (await Assert.ThrowsAsync<TrustException>(() => discovery.ReadUrlAsync("https://example.com/bad"))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<FetchException>(() => discovery.ReadUrlAsync("http://example.com/a"));
        await Assert.ThrowsAsync<FetchException>(() => discovery.DiscoverAsync(AcIdentifier.Parse("example.org/app")));
    }

    [Fact]
    public async Task Cancelled_call_stops()
    {
        await New().TrustAsync(_gpg.Export("ed25519"), null);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => New().ListAsync(new CancellationToken(canceled: true)));
    }

    public void Dispose() => _directory.Dispose();

    private Keystore New(params string[] directories)
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        foreach (string directory in directories.Length == 0 ? [Local] : directories)
        {
            options.Directories.Add(directory);
        }

        return new Keystore(options, _log);
    }

    private async Task<TrustFailure?> RefusalAsync(Keystore keystore, string name) =>
        (await new OpenPgpVerifier(keystore).RefusalAsync(Image, _gpg.Sign("ed25519", Image), name))?.Failure;

    private async Task<byte[]> ArmorAsync(string key)
    {
        using var stream = new MemoryStream(_gpg.Export(key));
        return Encoding.ASCII.GetBytes((await New().ReadKeysAsync(stream))[0].ToArmor());
    }

    private static async Task<SignatureVerdict?> TryVerifyAsync(Keystore keystore, byte[] signature)
    {
        try
        {
            return await new OpenPgpVerifier(keystore).VerifyAsync(Image, signature, null);
        }
        catch (TrustException)
        {
            return null;
        }
    }

    private sealed class OfferingHandler(Dictionary<string, byte[]> pages) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(pages.TryGetValue(request.RequestUri!.GetLeftPart(UriPartial.Path), out byte[]? page)
                ? new HttpResponseMessage { Content = new ByteArrayContent(page) }
                : new HttpResponseMessage(System.Net.HttpStatusCode.NotFound));
    }
}
