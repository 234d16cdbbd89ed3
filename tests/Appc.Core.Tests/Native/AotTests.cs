namespace Appc.Core.Tests.Native;

/// <summary>A console program that is published as native code reads manifests as any other does.</summary>
public sealed class AotTests(NativeProgram native)
{
    [Fact]
    public async Task A_native_program_reads_manifests()
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
    }
}
