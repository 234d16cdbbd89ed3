namespace Appc.Core.Tests.Native;

/// <summary>A console program that is published as native code reads manifests and archives as any other does.</summary>
public sealed class AotTests(NativeProgram native)
{
    [Fact]
    public async Task A_native_program_reads_manifests_and_archives()
    {
        (string program, string output) = await native.Published;
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);

        (int status, output) = await NativeProgram.RunAsync(program, [], """{"name":"example.com/a","acVersion":"0.8.11","acKind":"ImageManifest","app":{"user":"0","group":"0","isolators":[{"name":"resource/cpu","value":{"limit":"500m"}}]}}""");
        Assert.Equal(0, status);
        Assert.StartsWith("{\n    \"acKind\": \"ImageManifest\",\n", output, StringComparison.Ordinal);

        (status, output) = await NativeProgram.RunAsync(program, [], """{"acKind":"PodManifest","acVersion":"0.8"}""");
        Assert.Equal(1, status);
        Assert.Equal(2, output.Trim().Split('\n').Length);
        Assert.Contains("$.acVersion (line 1, column 37): not an AC Version", output, StringComparison.Ordinal);
        ReadsArchives(program);
    }

    private static void ReadsArchives(string program)
    {
        using Images.ImageFixture fixture = new();
        foreach ((string compress, string name) in ((string, string)[])[("cat", "none"), ("gzip", "gzip"), ("bzip2", "bzip2"), ("xz", "xz"), ("zstd", "zstd")])
        {
            string archive = fixture.Pack("example.com/a", root => File.WriteAllText(Path.Combine(root, "f"), "x"), compress: compress);
            string said = Images.ImageFixture.Shell($"'{program}' archive < '{archive}'");
            Assert.StartsWith(name + " sha512-", said, StringComparison.Ordinal);
        }
    }
}
