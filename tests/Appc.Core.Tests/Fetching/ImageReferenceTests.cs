using Appc.Fetching;
using Appc.Manifests;

namespace Appc.Core.Tests.Fetching;

public sealed class ImageReferenceTests
{
    private static readonly string FullId = "sha512-" + new string('a', 128);

    [Theory]
    [InlineData("example.com/hello", ImageReferenceKind.Name)]
    [InlineData("hello", ImageReferenceKind.Name)]
    [InlineData("hello.aci", ImageReferenceKind.Name)]
    [InlineData("example.com/hello:1.0.0", ImageReferenceKind.Name)]
    [InlineData("example.com/hello:1.0.0,os=linux,arch=amd64", ImageReferenceKind.Name)]
    [InlineData("example.com/hello,channel=beta,version=2", ImageReferenceKind.Name)]
    [InlineData("sha512-a", ImageReferenceKind.Id)]
    [InlineData("sha512-0123abcdef", ImageReferenceKind.Id)]
    [InlineData("https://example.com/hello.aci", ImageReferenceKind.Url)]
    [InlineData("https://example.com/hello?a=b", ImageReferenceKind.Url)]
    [InlineData("http://example.com:8080/hello.aci", ImageReferenceKind.Url)]
    [InlineData("/tmp/hello.aci", ImageReferenceKind.File)]
    [InlineData("./hello", ImageReferenceKind.File)]
    [InlineData("../hello.aci", ImageReferenceKind.File)]
    [InlineData(".hidden", ImageReferenceKind.File)]
    [InlineData("/with: colon, comma=1", ImageReferenceKind.File)]
    public void Text_alone_decides_the_kind_and_reads_back(string text, ImageReferenceKind kind)
    {
        ImageReference reference = ImageReference.Parse(text);

        Assert.Equal(kind, reference.Kind);
        Assert.Equal(text, reference.ToString());
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
        Assert.Equal(kind == ImageReferenceKind.Name, reference.Name is not null);
        Assert.Equal(kind == ImageReferenceKind.Id, reference.IdPrefix is not null);
        Assert.Equal(kind == ImageReferenceKind.Url, reference.Url is not null);
        Assert.Equal(kind == ImageReferenceKind.File, reference.Path is not null);
    }

    [Fact]
    public void Name_is_taken_apart()
    {
        ImageReference reference = ImageReference.Parse("example.com/hello:1.0.0,os=linux,tier=gold=x");

        Assert.Equal("example.com/hello", reference.Name!.ToString());
        Assert.Equal("1.0.0", reference.Version);
        Assert.Equal(["version=1.0.0", "os=linux", "tier=gold=x"], reference.Labels.Select(l => $"{l.Name}={l.Value}"));
        Assert.Equal("linux", reference.GetLabel("os"));
        Assert.Null(reference.GetLabel("arch"));
    }

    [Fact]
    public void Reference_without_a_version_has_none() => Assert.Null(ImageReference.Parse("example.com/hello,os=linux").Version);

    [Theory]
    [InlineData("file:///tmp/a%20b.aci", "/tmp/a b.aci")]
    [InlineData("file://localhost/tmp/a.aci", "/tmp/a.aci")]
    [InlineData("FILE:///tmp/a.aci", "/tmp/a.aci")]
    public void File_url_becomes_a_path(string text, string path)
    {
        ImageReference reference = ImageReference.Parse(text);
        Assert.Equal(path, reference.Path);
        Assert.Equal(reference, ImageReference.Parse(path));
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("Example.com/hello", "'Example.com/hello' is not an image name")]
    [InlineData("example.com/hello:", "the version after ':' is empty")]
    [InlineData("example.com/hello:1:2", "colon")]
    [InlineData("example.com/hello,os", "'os' is not LABEL=VALUE")]
    [InlineData("example.com/hello,os=linux,os=linux", "the label 'os' occurs twice")]
    [InlineData("example.com/hello:1,version=2", "the label 'version' occurs twice")]
    [InlineData("example.com/hello,name=x", "'name' cannot be a label")]
    [InlineData("docker://busybox", "the scheme 'docker' is not supported")]
    [InlineData("ftp://example.com/x.aci", "the scheme 'ftp' is not supported")]
    [InlineData("https://", "it is not a URL")]
    [InlineData("https://user:secret@example.com/x.aci", "must not hold a user name or password")]
    [InlineData("https://example.com/x.aci#part", "fragment")]
    [InlineData("file://elsewhere/x.aci", "it is not a file URL of this machine")]
    [InlineData("file:relative.aci", "it is not a file URL of this machine")]
    [InlineData("sha512-", "lower-case hexadecimal")]
    [InlineData("sha512-ABC", "lower-case hexadecimal")]
    [InlineData("sha512-xyz", "lower-case hexadecimal")]
    [InlineData("./a\nb", "control characters")]
    [InlineData("example.com/hello:1\u001b[31m", "control characters")]
    public void Malformed_text_says_what_is_wrong(string text, string why)
    {
        FetchException e = Assert.Throws<FetchException>(() => ImageReference.Parse(text));

        Assert.Equal(FetchFailure.BadReference, e.Failure);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.NotNull(e.Hint);
        Assert.False(ImageReference.TryParse(text, out _));
    }

    [Fact]
    public void Id_is_at_most_a_whole_one()
    {
        Assert.Equal(FullId, ImageReference.Parse(FullId).IdPrefix);
        Assert.False(ImageReference.TryParse(FullId + "a", out _));
        Assert.Equal(ImageReference.Parse(FullId), ImageReference.ForId(ImageId.Parse(FullId)));
    }

    [Fact]
    public void Name_and_labels_make_the_same_reference_as_their_text()
    {
        ImageReference made = ImageReference.ForName(AcIdentifier.Parse("example.com/hello"), [new(AcIdentifier.Parse("version"), "1"), new(AcIdentifier.Parse("os"), "linux")]);

        Assert.Equal(ImageReference.Parse("example.com/hello:1,os=linux"), made);
        Assert.Throws<FetchException>(() => ImageReference.ForName(AcIdentifier.Parse("a"), [new(AcIdentifier.Parse("b"), "1,2")]));
        Assert.Throws<FetchException>(() => ImageReference.ForName(AcIdentifier.Parse("sha512-ab")));
    }

    [Fact]
    public void Null_is_no_reference() => Assert.False(ImageReference.TryParse(null, out _));
}
