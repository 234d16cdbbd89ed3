using Appc.Fetching;

namespace Appc.Core.Tests.Fetching;

public sealed class FetchCredentialsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_of_rkt_are_read_and_later_directories_override()
    {
        Write("system/a.json", """{"rktKind":"auth","rktVersion":"v1","domains":["example.com","cdn.example.net:8443"],"type":"basic","credentials":{"user":"u","password":"p"}}""");
        Write("system/docker.json", """{"rktKind":"dockerAuth","rktVersion":"v1","registries":["x"],"credentials":{"user":"u","password":"p"}}""");
        Write("system/notes.txt", "not read");
        Write("system/sub/b.json", "not read");
        Write("local/b.json", """{"rktKind":"auth","rktVersion":"v1","domains":["example.com"],"type":"oauth","credentials":{"token":"t0k"}}""");

        FetchCredentials credentials = FetchCredentials.Load(_folder.File("missing"), _folder.File("system"), _folder.File("local"));

        Assert.Equal(["cdn.example.net:8443", "example.com"], credentials.Domains);
        Assert.Equal("Bearer t0k", Find(credentials, "https://example.com/x"));
        Assert.Equal("Basic dTpw", Find(credentials, "https://cdn.example.net:8443/x"));
        Assert.Null(Find(credentials, "https://cdn.example.net/x"));
    }

    [Theory]
    [InlineData("https://example.com/x", "Bearer host")]
    [InlineData("https://EXAMPLE.com:443/x", "Bearer host")]
    [InlineData("https://example.com/private", "Bearer path")]
    [InlineData("https://example.com/private/deep/x?y", "Bearer path")]
    [InlineData("https://example.com/privateer", "Bearer host")]
    [InlineData("https://example.com:8443/x", "Bearer port")]
    [InlineData("https://example.com:9443/x", null)]
    [InlineData("https://www.example.com/x", null)]
    [InlineData("https://example.com.evil.net/x", null)]
    public void Longest_path_of_the_very_host_and_port_counts(string url, string? expected)
    {
        var credentials = new FetchCredentials();
        credentials.AddBearer("example.com", "host");
        credentials.AddBearer("example.com/private/", "path");
        credentials.AddBearer("example.com:8443", "port");

        Assert.Equal(expected, Find(credentials, url));
    }

    [Theory]
    [InlineData("not json", "it is not JSON (line 1)")]
    [InlineData("{}", "'rktKind' is missing")]
    [InlineData("""{"rktKind":"stage1","rktVersion":"v1"}""", "not of rktKind auth")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"basic","domains":["a"]}""", "'credentials' is missing")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"basic","domains":"a","credentials":{}}""", "'domains' is missing or of the wrong type")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"basic","domains":["a"],"credentials":{"user":"u"}}""", "'password' is missing")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"aws","domains":["a"],"credentials":{}}""", "the type 'aws' is not supported")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"oauth","domains":["https://a"],"credentials":{"token":"t"}}""", "host[:port][/path]")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"oauth","domains":["a"],"credentials":{"token":"t\r\nX: y"}}""", "visible ASCII")]
    [InlineData("""{"rktKind":"auth","rktVersion":"v1","type":"oauth","domains":["a","a"],"credentials":{"token":"t"}}""", "is for 'a' too")]
    public void Faulty_file_is_named_and_its_secrets_are_not_told(string content, string why)
    {
        Write("d/faulty.json", content);

        FetchException e = Assert.Throws<FetchException>(() => FetchCredentials.Load(_folder.File("d")));

        Assert.Equal(FetchFailure.Configuration, e.Failure);
        Assert.Contains("faulty.json", e.Message, StringComparison.Ordinal);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("X: y", e.ToString(), StringComparison.Ordinal);
    }

    private static string? Find(FetchCredentials credentials, string url) => credentials.Find(new Uri(url))?.ToString();

    private void Write(string name, string content)
    {
        string path = _folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
