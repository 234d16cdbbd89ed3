using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Signing.Tests.Support;
using Appc.Stage1;
using Appc.Trust;

namespace Appc.Signing.Tests;

/// <summary>What docs/trust.md shows is compiled and run here, and the tests that it names exist.</summary>
public sealed partial class DocumentationTests(GpgKeys keys)
{
    [Fact]
    public async Task Examples_run()
    {
        using var directory = new TempDirectory();
        using var scene = new TrustScene();
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(directory["trustedkeys"]);
        string archive = await scene.PackAsync("example.com/team/web", []);
        string keyFile = directory.Write("key", keys.Gpg.Export("ed25519"));
        string secretKeyFile = directory.Write("secret", keys.Gpg.ExportSecret("ed25519"));
        await KeystoreExample(options, keyFile, archive, secretKeyFile);
        Assert.Equal(TrustBasis.Signatures, await PolicyExample(directory["data"], options, archive, keys.Gpg.Fingerprints("ed25519")[0]));
    }

    [Fact]
    public async Task Examples_are_those_of_the_documentation()
    {
        string code = Flat(await File.ReadAllTextAsync(Source("tests/Appc.Signing.Tests/DocumentationTests.cs")));
        MatchCollection blocks = Example().Matches(await File.ReadAllTextAsync(Source("docs/trust.md")));
        Assert.Equal(2, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(Flat(block.Groups[1].Value), code, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("docs/trust.md", "The checks", 50)]
    [InlineData("docs/isolation.md", "The table", 35)]
    public async Task Every_test_that_a_table_names_exists(string document, string section, int atLeast)
    {
        string table = (await File.ReadAllTextAsync(Source(document))).Split("\n## ").Single(s => s.StartsWith(section, StringComparison.Ordinal));
        Dictionary<string, string> classes = Directory.EnumerateFiles(Source("tests"), "*Tests.cs", SearchOption.AllDirectories)
            .GroupBy(f => Path.GetFileNameWithoutExtension(f)).ToDictionary(g => g.Key, g => string.Concat(g.Select(File.ReadAllText)));
        int named = 0;
        foreach (string row in table.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| #", StringComparison.Ordinal) && !l.StartsWith("| promise ", StringComparison.Ordinal)))
        {
            string[] tests = [.. Quoted().Matches(row.Split('|')[3]).Select(m => m.Groups[1].Value)];
            Assert.True(tests.Length > 0, row);
            foreach (string test in tests)
            {
                string[] parts = test.Split('.');
                string type = parts.Length == 2 ? parts[0] : test.EndsWith("Tests", StringComparison.Ordinal) ? test : "CheckTests";
                Assert.True(classes.TryGetValue(type, out string? source), $"there is no {type}: {row}");
                Assert.True(test == type || source.Contains($" {parts[^1]}(", StringComparison.Ordinal), $"{type} has no {parts[^1]}");
                named++;
            }
        }

        Assert.True(named > atLeast, $"{document} names {named} tests");
    }

    private static async Task KeystoreExample(KeystoreOptions options, string keyFile, string archive, string secretKeyFile)
    {
        var keystore = new Keystore(options);                              // null: the host's directories
        await using FileStream file = File.OpenRead(keyFile);
        foreach (OpenPgpKey key in await keystore.ReadKeysAsync(file))     // trusts nothing yet
        {
            Console.WriteLine($"{key.FormatFingerprint()}  {string.Join(", ", key.UserIds)}  {key.Problem}");
            await keystore.AddAsync(key, AcIdentifier.Parse("example.com/team"));   // exactly the key that was shown
        }

        TrustExplanation answer = await keystore.ExplainAsync(AcIdentifier.Parse("example.com/team/web"));
        await OpenPgpSigner.SignFileAsync(archive, secretKeyFile);         // or with a GpgSigner, or a signer of your own
        Assert.True(answer.AnyAccepted);
    }

    private static async Task<TrustBasis> PolicyExample(string root, KeystoreOptions options, string archive, string fingerprint)
    {
        string pinnedId = "sha512-" + new string('0', 128);
        IStage1 stage1 = new IdleStage1();
        TrustPolicy policy = TrustPolicy.RequireKeys(1, fingerprint).WithImages(pinnedId);
        await using PodRuntime runtime = new PodRuntimeBuilder(root)
            .UseOpenPgp(options)
            .UseTrustPolicy(policy)
            .UseStage1(stage1)
            .Build();
        StoredImage image = await runtime.FetchAsync(archive);             // under the runtime's policy
        TrustDecision today = await runtime.Images.CheckTrustAsync(image.Id);
        await using Pod pod = await runtime.RunAsync(new PodSpec(new AppSpec(image)));   // looks again
        await pod.WaitAsync();
        return today.Basis;
    }

    private static string Source(string relative, [CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../..", relative));

    private static string Flat(string code) => Blanks().Replace(code, " ").Trim();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("`([A-Za-z0-9_.]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
